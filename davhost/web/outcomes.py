"""What became of several things at once, and how the page says it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import flask
from werkzeug.wrappers import Response

from ..errors import Refused
from ..paths import DavPath
from .context import href

Answer = Response | tuple[str, int]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one.

    Args:
        name: as people call it.
        refused: why it was not done; None when it was.
        skipped: it was left out, as they wished.
    """

    name: str
    refused: Refused | None = None
    skipped: bool = False

    @property
    def why(self) -> str:
        """The sentence that says why it was refused."""
        return "" if self.refused is None else self.refused.sentence or self.refused.phrase


def attempt(name: str, perform: Callable[[], object]) -> Outcome:
    """Do something, or say why it was not done."""
    try:
        perform()
    except Refused as refused:
        return Outcome(name, refused)
    return Outcome(name)


def tell(folder: DavPath, outcomes: Sequence[Outcome], done: str) -> Answer:
    """Go back to the folder if nothing was refused, else show what was.

    A flash is a cookie, which does not hold the sentences of many.

    Args:
        done: the word for what was done: *uploaded*.
    """
    refused = [it for it in outcomes if it.refused is not None]
    skipped = sum(it.skipped for it in outcomes)
    well = len(outcomes) - len(refused) - skipped
    sentence = f"{well} {'item' if well == 1 else 'items'} {done}"
    sentence += f", {skipped} skipped." if skipped else "."
    if not refused:
        flask.flash(sentence if outcomes else "Nothing was chosen.")
        return flask.redirect(href(folder, collection=True), 303)
    page = flask.render_template(
        "outcomes.html", folder=folder, sentence=sentence, refused=refused, well=well
    )
    first = refused[0].refused
    return page, 200 if well or first is None else first.status
