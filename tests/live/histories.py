"""What concurrent clients asked and were answered, and whether one order explains it.

A history is linearizable (Herlihy and Wing, 1990) when every request can be
given one moment between its sending and its answer so that, done one after the
other in that order, each would have been answered as it was.
"""

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

#: What a name holds: the content, and its ETag while that is known.
File = tuple[bytes, str | None]
Names = Mapping[str, File]


@dataclass(frozen=True)
class Request:
    """One request about a name.

    Args:
        to: where MOVE and COPY go.
        if_match: the ETag of the condition; ``*`` is never used here.
        if_none: whether it carries ``If-None-Match: *``.
    """

    method: str
    name: str
    to: str = ""
    content: bytes = b""
    overwrite: bool = True
    if_match: str | None = None
    if_none: bool = False


@dataclass(frozen=True)
class Reply:
    """What was answered: the content only to a GET, the ETag when it was said."""

    status: int
    content: bytes = b""
    etag: str | None = None


@dataclass(frozen=True)
class Operation:
    """A request and its reply, and when each of them passed the client."""

    request: Request
    reply: Reply
    sent_at: int
    answered_at: int


class Recorder:
    """One client's requests, one after the other.

    Args:
        ask: sends a request and waits for its reply.
    """

    def __init__(self, ask: Callable[[Request], Reply]) -> None:
        self._ask = ask
        self.operations: list[Operation] = []

    def do(self, request: Request) -> Reply:
        """Send a request and write it down."""
        sent_at = time.monotonic_ns()
        reply = self._ask(request)
        self.operations.append(Operation(request, reply, sent_at, time.monotonic_ns()))
        return reply


def explain(clients: Sequence[Sequence[Operation]]) -> str | None:
    """Look for one order that explains all replies (Wing and Gong, 1993).

    Two ways to the same place are tried once: what counts is only how far each
    client has come and what the names hold (Lowe, 2017).

    Returns:
        None when there is one; otherwise how far the best attempt came.
    """
    start = (tuple(0 for _ in clients), frozenset[tuple[str, File]]())
    best = start
    waiting, seen = [start], {start}
    while waiting:
        done, names = waiting.pop()
        if sum(done) > sum(best[0]):
            best = done, names
        following = [(i, ops[done[i]]) for i, ops in enumerate(clients) if done[i] < len(ops)]
        if not following:
            return None
        # Nothing can come after what was answered before it was sent.
        last = min(operation.answered_at for _, operation in following)
        for i, operation in following:
            if operation.sent_at > last:
                continue
            after = answered(dict(names), operation.request, operation.reply)
            if after is None:
                continue
            place = (*done[:i], done[i] + 1, *done[i + 1 :]), frozenset(after.items())
            if place not in seen:
                seen.add(place)
                waiting.append(place)
    return _dead_end(clients, *best)


def answered(names: Names, request: Request, reply: Reply) -> Names | None:
    """Do one request alone; None when it could not have been answered like that."""
    here, there = names.get(request.name), names.get(request.to)
    status = _status(here, there, request, reply)
    if reply.status != status:
        return None
    if status in (404, 412):
        return names
    match request.method:
        case "GET":
            if here is None or not _is_seen(here, reply):
                return None
            return {**names, request.name: (reply.content, reply.etag)}
        case "PUT":
            return {**names, request.name: (request.content, reply.etag)}
        case "DELETE":
            return _without(names, request.name)
    # A copy has an ETag of its own, which the next GET tells; so may a file
    # have that is moved into the place of another.
    assert here is not None
    left = _without(names, request.name) if request.method == "MOVE" else names
    return {**left, request.to: (here[0], None)}


def _status(here: File | None, there: File | None, request: Request, reply: Reply) -> int:
    if request.method in ("GET", "DELETE", "MOVE", "COPY") and here is None:
        return 404
    if request.if_none and here is not None:
        return 412
    if request.if_match is not None and not _matches(here, request.if_match, reply):
        return 412
    match request.method:
        case "GET":
            return 200
        case "DELETE":
            return 204
        case "PUT":
            return 201 if here is None else 204
    if there is not None:
        return 204 if request.overwrite else 412
    return 201


def _matches(here: File | None, etag: str, reply: Reply) -> bool:
    if here is None:
        return False
    # Nobody has seen the ETag of this content yet: the reply is believed.
    return reply.status != 412 if here[1] is None else here[1] == etag


def _is_seen(here: File, reply: Reply) -> bool:
    content, etag = here
    return reply.content == content and etag in (None, reply.etag)


def _without(names: Names, name: str) -> Names:
    return {other: file for other, file in names.items() if other != name}


def _dead_end(
    clients: Sequence[Sequence[Operation]], done: Iterable[int], names: Iterable[tuple[str, File]]
) -> str:
    lines = ["no order explains this; the longest attempt ends with", f"  {dict(names)}"]
    for i, (operations, count) in enumerate(zip(clients, done, strict=True)):
        lines.append(f"  client {i}:")
        for operation in operations[max(0, count - 3) : count + 2]:
            mark = "->" if operation is operations[min(count, len(operations) - 1)] else "  "
            lines.append(f"  {mark} {operation}")
    return "\n".join(lines)


def one_by_one(*operations: tuple[Request, Reply]) -> list[Operation]:
    """Make the history of a client that is alone: each is sent after the last answer."""
    return [
        Operation(request, reply, 2 * number, 2 * number + 1)
        for number, (request, reply) in enumerate(operations)
    ]


def shifted(operations: Iterable[Operation], *, by: int) -> list[Operation]:
    """The same, later."""
    return [
        replace(one, sent_at=one.sent_at + by, answered_at=one.answered_at + by)
        for one in operations
    ]
