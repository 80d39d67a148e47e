"""The language of the sequences: one request to a line.

::

    # Anything after "# " is for people.
    client User-Agent: Microsoft-WebDAV-MiniRedir/10.0.19045
    allow  kdbx                          (a list of the account's own)
    given  report.docx docx(old)         (what is there; the first is the document)

    LOCK   report.docx -> 200 as doc
    PUT    34429E5E.tmp docx(new) chunked -> 201
    MOVE   34429E5E.tmp to report.docx overwrite T if doc -> 204
    UNLOCK report.docx doc -> 204

    then   report.docx docx(new)         (what must be there in the end)

Names with spaces stand in quotes. ``if doc`` submits a lock's token for the
request URI, ``tagged doc`` for the URL that was locked. A status may have an
alternative: ``201|204``. Scratch needs no mention at the end: nothing but what
``then`` names may be there a day later. A document that ends as a new one, as
by a DELETE and a PUT, is announced by ``identity new``.
"""

import shlex
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

DATA = Path(__file__).with_name("data")

#: Words that stand alone, and words that are followed by a value.
_FLAGS = {"chunked", "expect", "times", "match"}
_VALUES = {"to", "overwrite", "if", "tagged", "depth", "as"}
_WITH_BODY = {"PUT"}


@dataclass(frozen=True)
class Step:
    """One request and the statuses that it may be answered with."""

    line: str
    method: str
    path: str
    statuses: frozenset[int]
    body: str | None
    options: dict[str, str]

    @property
    def only_looks(self) -> bool:
        """Whether it leaves the tree as it was."""
        return self.method in ("OPTIONS", "GET", "HEAD", "PROPFIND", "UNLOCK")

    @property
    def removes(self) -> bool:
        """Whether it takes something out of the tree on purpose."""
        return self.method == "DELETE"


@dataclass
class Sequence:
    """How one program saves, from what is there before to what is there after."""

    name: str
    headers: dict[str, str] = field(default_factory=dict)
    allow: str | None = None
    keeps_identity: bool = True
    given: dict[str, str] = field(default_factory=dict)
    steps: list[Step] = field(default_factory=list)
    then: dict[str, str] = field(default_factory=dict)

    @property
    def document(self) -> str:
        """The name that the person knows."""
        return next(iter(self.given or self.then))


def read_all() -> Iterator[Sequence]:
    """Read every sequence there is."""
    for file in sorted(DATA.glob("*.txt")):
        yield read(file)


def read(file: Path) -> Sequence:
    """Read one sequence."""
    sequence = Sequence(file.stem)
    for number, line in enumerate(file.read_text().splitlines(), 1):
        if line.strip() and not line.startswith("# "):
            try:
                _read_line(sequence, line)
            except (ValueError, AssertionError) as error:
                raise ValueError(f"{file.name}:{number}: {line}: {error}") from error
    assert sequence.steps, file
    assert sequence.then, file
    return sequence


def _read_line(sequence: Sequence, line: str) -> None:
    word, _, rest = line.partition(" ")
    if word == "client":
        name, _, value = rest.strip().partition(": ")
        sequence.headers[name] = value
    elif word == "allow":
        sequence.allow = rest.strip()
    elif word == "identity":
        sequence.keeps_identity = rest.strip() != "new"
    elif word in ("given", "then"):
        name, body = shlex.split(rest)
        getattr(sequence, word)[name] = body
    else:
        sequence.steps.append(_step(line))


def _step(line: str) -> Step:
    words = shlex.split(line)
    arrow = words.index("->")
    method, path, *asked = words[:arrow]
    status, *after = words[arrow + 1 :]
    body, options, rest = None, {}, iter([*asked, *after])
    for word in rest:
        if word in _FLAGS:
            options[word] = ""
        elif word in _VALUES:
            options[word] = next(rest)
        elif method == "UNLOCK":
            options["token"] = word
        else:
            assert method in _WITH_BODY, f"{word!r}?"
            body = word
    assert (body is not None) == (method in _WITH_BODY), "a PUT has a body, and nothing else"
    statuses = frozenset(map(int, status.split("|")))
    return Step(line, method, path, statuses, body, options)
