"""Sends the steps of a sequence as its client does, on one connection."""

import http.client
import urllib.parse
from collections.abc import Mapping

from tests.live.dav import LOCK_BODY, Account, href
from tests.sequences.bodies import body
from tests.sequences.script import Sequence, Step

_COLOR = b"""<?xml version="1.0"?><D:propertyupdate xmlns:D="DAV:"><D:set><D:prop>
<color xmlns="urn:x-test">blue</color></D:prop></D:set></D:propertyupdate>"""

#: What Explorer sends after every upload.
_TIMES = b"""<?xml version="1.0" encoding="utf-8" ?><D:propertyupdate xmlns:D="DAV:"
xmlns:Z="urn:schemas-microsoft-com:"><D:set><D:prop>
<Z:Win32CreationTime>Sun, 01 Nov 2026 10:00:00 GMT</Z:Win32CreationTime>
<Z:Win32LastAccessTime>Sun, 01 Nov 2026 10:00:00 GMT</Z:Win32LastAccessTime>
<Z:Win32LastModifiedTime>Sun, 01 Nov 2026 10:00:00 GMT</Z:Win32LastModifiedTime>
<Z:Win32FileAttributes>00000020</Z:Win32FileAttributes></D:prop></D:set></D:propertyupdate>"""

_ALL = b'<?xml version="1.0"?><propfind xmlns="DAV:"><allprop/></propfind>'

_BODIES = {"LOCK": LOCK_BODY % b"exclusive", "PROPFIND": _ALL, "PROPPATCH": _TIMES}


class Player:
    """One client in one folder of one home."""

    def __init__(self, host: str, port: int, account: Account, sequence: Sequence) -> None:
        self._netloc = f"{host}:{port}"
        self._connection = http.client.HTTPConnection(host, port, timeout=60)
        self._authorization = {"Authorization": account.authorization}
        self._headers = self._authorization | sequence.headers
        self._sequence = sequence
        self._locks: dict[str, tuple[str, str]] = {}

    def __enter__(self) -> "Player":
        return self

    def __exit__(self, *_: object) -> None:
        """Go away without a word, as a laptop does whose lid is closed."""
        self._connection.close()

    def prepare(self, folder: str, *, with_property: bool) -> None:
        """Put what is there before into a new folder, the document with a dead property."""
        self._locks.clear()
        self._send("MKCOL", href(folder), None, self._authorization, {201})
        for name, spelled in self._sequence.given.items():
            self._make_folders(folder, name)
            path = href(folder, name)
            self._send("PUT", path, body(spelled), self._authorization, {201})
        if with_property and self._sequence.given:
            path = href(folder, self._sequence.document)
            self._send("PROPPATCH", path, _COLOR, self._authorization, {207})

    def _make_folders(self, folder: str, name: str) -> None:
        *parents, _ = name.split("/")
        for depth in range(1, len(parents) + 1):
            path = href(folder, *parents[:depth])
            self._send("MKCOL", path, None, self._authorization, {201, 405})

    def play(self, folder: str, steps: list[Step]) -> None:
        """Send *steps*, and see that each is answered as it has to be."""
        for step in steps:
            self._play(folder, step)

    def read(self, folder: str, name: str) -> bytes:
        """Read a file."""
        return self._send("GET", href(folder, name), None, self._authorization, {200})[1]

    def _play(self, folder: str, step: Step) -> None:
        path = href(folder, step.path)
        content: bytes | list[bytes] | None = _BODIES.get(step.method)
        if step.body is not None:
            content = body(step.body)
        headers = self._headers | self._options(folder, step)
        if "chunked" in step.options:
            assert isinstance(content, bytes)
            headers["X-Expected-Entity-Length"] = str(len(content))
            content = [content[:7], content[7:]] if content else []
        elif step.method == "PUT" and "expect" in step.options:
            headers["Expect"] = "100-continue"
        answer, _ = self._send(step.method, path, content, headers, step.statuses, step.line)
        if "as" in step.options:
            token = answer.headers["Lock-Token"] or ""
            self._locks[step.options["as"]] = (token, path)

    def _options(self, folder: str, step: Step) -> dict[str, str]:
        headers, options = {}, step.options
        if "to" in options:
            headers["Destination"] = f"http://{self._netloc}{href(folder, options['to'])}"
        if "overwrite" in options:
            headers["Overwrite"] = options["overwrite"]
        if "if" in options:
            headers["If"] = " ".join(f"({self._locks[n][0]})" for n in options["if"].split(","))
        if "tagged" in options:
            token, path = self._locks[options["tagged"]]
            headers["If"] = f"<http://{self._netloc}{path}> ({token})"
        if "token" in options:
            headers["Lock-Token"] = self._locks[options["token"]][0]
        if "match" in options:
            headers["If-Match"] = self._etag(href(folder, step.path))
        if step.method in ("PROPFIND", "LOCK"):
            headers["Depth"] = options.get("depth", "0")
        if step.method == "LOCK":
            headers["Timeout"] = "Second-3600"
        return headers

    def _etag(self, path: str) -> str:
        answer, _ = self._send("HEAD", path, None, self._authorization, {200})
        return str(answer.headers["ETag"])

    def _send(
        self,
        method: str,
        path: str,
        content: bytes | list[bytes] | None,
        headers: Mapping[str, str],
        expected: set[int] | frozenset[int],
        line: str = "",
    ) -> tuple[http.client.HTTPResponse, bytes]:
        chunked = isinstance(content, list)
        lines = dict(headers) | ({"Transfer-Encoding": "chunked"} if chunked else {})
        self._connection.request(method, path, content, lines, encode_chunked=chunked)
        answer = self._connection.getresponse()
        got = answer.read()
        said = f"{line or method + ' ' + urllib.parse.unquote(path)}: {answer.status} "
        assert answer.status in expected, f"{said}{answer.reason} {got[:300]!r}"
        return answer, got
