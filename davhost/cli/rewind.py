"""`davhost rewind`: an account's files as they were at a time."""

from __future__ import annotations

import json
import sys
from datetime import datetime
from pathlib import Path

import click

from davhost.cli.brake import braked
from davhost.cli.common import (
    Failure,
    MomentType,
    instance_options,
    iso_moment,
    json_option,
    moment,
    printable,
)
from davhost.cli.opening import opened
from davhost.tree import Rewound


@click.command("rewind", short_help="Put an account's files back to what they were at a time.")
@click.option("--user", required=True, metavar="EMAIL", help="Whose files.")
@click.option("--to", metavar="TIME", type=MomentType(), help="Such as 2026-11-22T14:30, in UTC.")
@click.option("--to-brake", is_flag=True, help="To before the changes that stopped the account.")
@click.option("--hold", is_flag=True, help="Leave a stopped account stopped.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@json_option
@instance_options
def command(
    user: str,
    to: datetime | None,
    to_brake: bool,
    hold: bool,
    yes: bool,
    as_json: bool,
    config: Path | None,
    data: Path | None,
) -> None:
    """Put all files and folders of an account back to what they were at a time.

    Nothing is lost by it: what is there now becomes an earlier content or goes
    to the trash, so that one can also go forward again. It goes as far back as
    earlier contents and the trash are kept. An account that was stopped
    can write again afterwards, unless --hold says otherwise. If it breaks off, run
    it again.

    \b
    Examples:
        davhost rewind --user ada@example.org --to-brake
        davhost rewind --user ada@example.org --to 2026-11-22T14:30
    """
    if (to is None) != to_brake:
        raise click.UsageError("say which: --to TIME, or --to-brake")
    with opened(config, data) as services:
        began_us = braked(services, user)
        if to is None:
            if began_us is None:
                raise Failure(f"{user} is not stopped: say --to TIME")
            to_us = began_us - 1
        else:
            to_us = int(to.timestamp() * 1_000_000)
        if to_us > services.clock.now_us():
            raise Failure(f"{moment(to_us)} UTC is still to come")
        if not (yes or as_json):
            question = f"Put the files of {user} back to what they were at {moment(to_us)} UTC?"
            click.confirm(question, abort=True)
        tree = services.tree_of(services.accounts.principal(user))
        done = tree.rewind(to_us)
        stopped = began_us is not None and hold
        if began_us is not None and not hold:
            tree.release_brake()
    if as_json:
        click.echo(json.dumps(_values(done, to_us, stopped=stopped), indent=2))
    else:
        _say(done, user, to_us)
        if began_us is not None:
            click.echo(f"{user} {'can still only read' if stopped else 'can write again'}.")
    sys.exit(1 if done.lost or done.refused else 0)


def _say(done: Rewound, user: str, to_us: int) -> None:
    click.echo(
        f"The files of {user} are those of {moment(to_us)} UTC: {done.contents} got their content "
        f"back, {done.restored} came out of the trash, {done.moved} were renamed, "
        f"{done.removed} are new and went to the trash."
    )
    for path in done.lost:
        click.echo(f"davhost: {printable(path.text)} is gone for good", err=True)
    for path, why in done.refused.items():
        click.echo(f"davhost: {printable(path.text)} could not go back: {why}", err=True)


def _values(done: Rewound, to_us: int, *, stopped: bool) -> dict[str, object]:
    return {
        "to": iso_moment(to_us),
        "contents": done.contents,
        "restored": done.restored,
        "moved": done.moved,
        "removed": done.removed,
        "lost": [path.text for path in done.lost],
        "refused": {path.text: why for path, why in done.refused.items()},
        "stopped": stopped,
    }
