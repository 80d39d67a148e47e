"""A mixed load on a server that is killed, and what must be there afterwards.

Each actor works on a folder of its own, one request after the other, and keeps
a model of it. So after a crash there are at most two states that its folder may
be in: without the one request that was not answered, or with it.
"""

import hashlib
import random
import urllib.parse
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from http.client import HTTPException
from xml.etree.ElementTree import Element

from tests.live.dav import DAV, LOCK_BODY, Dav, href

#: Two properties that are always set together, so that half a PROPPATCH would show.
NAMESPACE = "{urn:crash}"
PROPERTIES = ("one", "two")

FILE_NAMES = ("a.txt", "b.txt", "ü;?.pdf")
FOLDER_NAMES = ("d", "e 1")
SIZES_BYTES = (0, 1, 1_000, 20_000, 70_000, 300_000, 1_500_000)

#: So many resources are enough for every case, and few enough to compare often.
RESOURCES_MAX = 14
DEPTH_MAX = 3


@dataclass(frozen=True)
class Node:
    """A resource: its bytes, None for a collection, and the value of its properties."""

    content: bytes | None
    value: str | None = None

    def __repr__(self) -> str:
        what = "collection"
        if self.content is not None:
            what = f"{len(self.content)} bytes {hashlib.sha256(self.content).hexdigest()[:8]}"
        return f"<{what}, {self.value}>"


@dataclass(frozen=True)
class State:
    """What a folder holds, by path from there (``""`` is the folder itself).

    Args:
        locks: tokens by lock root; None is a token that nobody was told.
    """

    nodes: Mapping[str, Node]
    locks: Mapping[str, str | None]

    @property
    def size_bytes(self) -> int:
        """What it takes of a quota."""
        return sum(len(node.content or b"") for node in self.nodes.values())

    def bound(self, path: str, node: Node) -> "State":
        """As it is with *node* at *path*."""
        return replace(self, nodes={**self.nodes, path: node})

    def unbound(self, path: str) -> "State":
        """As it is without *path* and all below it, locks too."""
        return State(
            {at: node for at, node in self.nodes.items() if not within(at, path)},
            {at: token for at, token in self.locks.items() if not within(at, path)},
        )

    def below(self, path: str) -> dict[str, Node]:
        """What is at *path* and below it, by path from there."""
        return {at[len(path) :]: node for at, node in self.nodes.items() if within(at, path)}

    def with_tree(self, path: str, tree: Mapping[str, Node]) -> "State":
        """As it is when *tree* stands at *path*, and nothing else."""
        cleared = self.unbound(path)
        moved = {path + at: node for at, node in tree.items()}
        return replace(cleared, nodes={**cleared.nodes, **moved})

    def is_like(self, other: "State") -> bool:
        """Whether both are the same, as far as the tokens of locks are known."""
        return (
            self.nodes == other.nodes
            and self.locks.keys() == other.locks.keys()
            and all(
                token is None or token == other.locks[at]  # None: nobody was told
                for at, token in self.locks.items()
            )
        )

    def differences(self, found: "State") -> list[str]:
        """Say in which paths *found* is another."""
        paths = sorted(self.nodes.keys() | found.nodes.keys())
        lines = [
            f"{path!r}: expected {self.nodes.get(path)}, found {found.nodes.get(path)}"
            for path in paths
            if self.nodes.get(path) != found.nodes.get(path)
        ]
        if self.locks != found.locks:
            lines.append(f"locks: expected {self.locks}, found {found.locks}")
        return lines


EMPTY = State({"": Node(None)}, {})


def within(path: str, top: str) -> bool:
    """Whether *path* is *top* or below it."""
    return path == top or path.startswith(f"{top}/")


@dataclass(frozen=True)
class Step:
    """One request, and what it makes of the folder."""

    method: str
    path: str
    after: State
    statuses: tuple[int, ...]
    body: bytes | None = None
    headers: Mapping[str, str] | None = None


class Load:
    """Draws the next request that a folder in some state allows.

    Args:
        url: spells the absolute URL of a path from the folder.
        patches_files: not when files take on the identity of others that were
            there a moment ago, and with it their properties.
    """

    def __init__(
        self, rng: random.Random, url: Callable[[str], str], *, patches_files: bool
    ) -> None:
        self._rng = rng
        self._url = url
        self._patches_files = patches_files

    def step(self, state: State) -> Step:
        """Draw one; every kind is tried until one is possible."""
        kinds: list[Callable[[State], Step | None]] = [self._unbind]
        if len(state.nodes) < RESOURCES_MAX:
            kinds = [self._put] * 6 + [self._move, self._copy, self._patch] * 2
            kinds += [self._unbind, self._collect, self._collect, self._lock, self._unlock]
        while True:
            step = self._rng.choice(kinds)(state)
            if step is not None:
                return step

    def _put(self, state: State) -> Step | None:
        path = self._name(state, FILE_NAMES)
        before = state.nodes.get(path)
        body = self._rng.randbytes(self._rng.choice(SIZES_BYTES))
        after = state.bound(path, Node(body, before.value if before else None))
        return Step("PUT", path, after, (204 if before else 201,), body)

    def _collect(self, state: State) -> Step | None:
        path = self._name(state, FOLDER_NAMES)
        if path in state.nodes or path.count("/") > DEPTH_MAX:
            return None
        return Step("MKCOL", path, state.bound(path, Node(None)), (201,))

    def _unbind(self, state: State) -> Step | None:
        path = self._any(state)
        return Step("DELETE", path, state.unbound(path), (204,)) if path else None

    def _move(self, state: State) -> Step | None:
        return self._transfer(state, "MOVE")

    def _copy(self, state: State) -> Step | None:
        return self._transfer(state, "COPY")

    def _transfer(self, state: State, method: str) -> Step | None:
        source = self._any(state)
        if not source:
            return None
        is_file = state.nodes[source].content is not None
        to = self._name(state, FILE_NAMES if is_file else FOLDER_NAMES)
        apart = not within(to, source) and not within(source, to)
        # What becomes of a lock on what is replaced is another test's.
        if not apart or any(within(at, to) for at in state.locks):
            return None
        tree = state.below(source)
        after = (state.unbound(source) if method == "MOVE" else state).with_tree(to, tree)
        if len(after.nodes) > 2 * RESOURCES_MAX or to.count("/") > DEPTH_MAX:
            return None
        status = 204 if to in state.nodes else 201
        return Step(method, source, after, (status,), headers={"Destination": self._url(to)})

    def _patch(self, state: State) -> Step | None:
        path = self._rng.choice(list(state.nodes))
        if state.nodes[path].content is not None and not self._patches_files:
            return None
        value = f"v{self._rng.randrange(1_000_000)}"
        namespace = NAMESPACE.strip("{}")
        values = "".join(f'<{name} xmlns="{namespace}">{value}</{name}>' for name in PROPERTIES)
        body = f'<propertyupdate xmlns="DAV:"><set><prop>{values}</prop></set></propertyupdate>'
        after = state.bound(path, replace(state.nodes[path], value=value))
        return Step("PROPPATCH", path, after, (207,), body.encode())

    def _lock(self, state: State) -> Step | None:
        path = self._any(state)
        if not path or any(within(at, path) or within(path, at) for at in state.locks):
            return None
        after = replace(state, locks={**state.locks, path: None})
        headers = {"Timeout": "Second-3600"}
        return Step("LOCK", path, after, (200,), LOCK_BODY % b"exclusive", headers)

    def _unlock(self, state: State) -> Step | None:
        if not state.locks:
            return None
        path = self._rng.choice(list(state.locks))
        left = {at: token for at, token in state.locks.items() if at != path}
        headers = {"Lock-Token": f"<{state.locks[path]}>"}
        return Step("UNLOCK", path, replace(state, locks=left), (204,), headers=headers)

    def _any(self, state: State) -> str:
        """Draw a resource below the folder; the empty path when there is none."""
        return self._rng.choice([path for path in state.nodes if path] or [""])

    def _name(self, state: State, names: tuple[str, ...]) -> str:
        """Draw a place for a resource, taken or free."""
        folders = [path for path, node in state.nodes.items() if node.content is None]
        return f"{self._rng.choice(folders)}/{self._rng.choice(names)}"


class Actor:
    """Somebody who works in the folder *top* until the server is gone."""

    def __init__(self, box: Dav, top: str, rng: random.Random, *, patches_files: bool) -> None:
        self._box = box
        self.top = top
        self._load = Load(rng, lambda at: box.url(self._href(at)), patches_files=patches_files)
        #: What was acknowledged, and what may be instead.
        self.state = EMPTY
        self.doubtful: Step | None = None
        self.acknowledged = 0
        box.make_collection(href(top))

    def work(self) -> None:
        """Send requests until one is not answered."""
        while self._is_answered(self._load.step(self.state)):
            self.acknowledged += 1

    def settle(self) -> str:
        """See that the folder is as it was, or as the last request would have it.

        Returns:
            Which of the two, in a word: ``idle``, ``before`` or ``after``.
        """
        found = look(self._box, self.top)
        doubtful, self.doubtful = self.doubtful, None
        states = {"before": self.state}
        if doubtful is not None:
            states = {"after": doubtful.after} | states
        for word, state in states.items():
            if state.is_like(found):
                self.state = found
                return word if doubtful else "idle"
        lines = [f"/{self.top} was damaged; in doubt: {doubtful and doubtful.method}"]
        for word, state in states.items():
            lines += [f"  as {word}:", *(f"    {line}" for line in state.differences(found))]
        raise AssertionError("\n".join(lines))

    def _is_answered(self, step: Step) -> bool:
        self.doubtful = step
        try:
            answer = self._box.request(
                step.method, self._href(step.path), step.body, self._headers(step)
            )
        except (OSError, HTTPException):
            return False
        assert answer.status in step.statuses, (step.method, step.path, answer)
        self.state, self.doubtful = step.after, None
        if step.method == "LOCK":
            token = answer.headers["Lock-Token"].strip("<>")
            self.state = replace(self.state, locks={**self.state.locks, step.path: token})
        return True

    def _headers(self, step: Step) -> dict[str, str]:
        """Submit every token there is, beside what the request itself says."""
        lists = [f"<{self._href(at)}> (<{token}>)" for at, token in self.state.locks.items()]
        return {**(step.headers or {}), **({"If": " ".join(lists)} if lists else {})}

    def _href(self, path: str) -> str:
        return href(self.top + path)


def look(box: Dav, top: str) -> State:
    """Read a folder: contents, properties and locks."""
    nodes: dict[str, Node] = {}
    locks: dict[str, str | None] = {}
    waiting = [""]
    while waiting:
        collection = waiting.pop()
        for path, response in _responses(box, top, collection):
            node = Node(None, _value(response))
            if response.find(f".//{DAV}resourcetype/{DAV}collection") is None:
                body = box.read(href(top + path))
                assert len(body) == int(response.findtext(f".//{DAV}getcontentlength") or 0)
                node = replace(node, content=body)
            elif path != collection:
                waiting.append(path)
            nodes[path] = node
            locks.update(_locks(response, top))
    return State(nodes, locks)


_PROPFIND = (
    b'<propfind xmlns="DAV:" xmlns:c="urn:crash"><prop><resourcetype/><getcontentlength/>'
    b"<lockdiscovery/><c:one/><c:two/></prop></propfind>"
)


def _responses(box: Dav, top: str, collection: str) -> Iterable[tuple[str, Element]]:
    answer = box.request("PROPFIND", href(top + collection) + "/", _PROPFIND, {"Depth": "1"})
    assert answer.status == 207, (collection, answer.status, answer.body)
    for response in answer.xml.findall(f"{DAV}response"):
        yield _path(response.findtext(f"{DAV}href") or "", top), response


def _path(url: str, top: str) -> str:
    path = urllib.parse.unquote(urllib.parse.urlsplit(url).path, errors="strict").rstrip("/")
    assert within(path, f"/{top}"), url
    return path[len(top) + 1 :]


def _value(response: Element) -> str | None:
    # One that is not there is listed too, empty, as 404.
    values = {response.findtext(f".//{NAMESPACE}{name}") or None for name in PROPERTIES}
    assert len(values) == 1, f"half a PROPPATCH: {values}"
    return values.pop()


def _locks(response: Element, top: str) -> Iterator[tuple[str, str]]:
    for lock in response.iter(f"{DAV}activelock"):
        root = lock.findtext(f"{DAV}lockroot/{DAV}href") or ""
        yield _path(root, top), lock.findtext(f"{DAV}locktoken/{DAV}href") or ""
