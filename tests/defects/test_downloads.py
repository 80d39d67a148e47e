"""GET: conditions and ranges."""

from email import message_from_bytes

from tests.defects.known import defect
from tests.defects.target import Target

BODY = bytes(range(256)) * 8


@defect("D17", here=(304, 304, (False, True), False), stock=(200, 412, (True, False), True))
def test_an_unchanged_file_is_304_with_its_etag(server: Target) -> object:
    """By an equal date; by ETag beside a future date; without a length, as in 204."""
    server.put("a.txt", BODY)
    got = server.request("GET", "a.txt")
    equal = server.request("GET", "a.txt", If_Modified_Since=got.headers["Last-Modified"])
    etag = got.headers["ETag"]
    future = "Fri, 31 Dec 2199 00:00:00 GMT"
    both = server.request("GET", "a.txt", If_None_Match=etag, If_Modified_Since=future)
    same = server.request("GET", "a.txt", If_None_Match=etag).headers
    deleted = server.request("DELETE", "a.txt").headers
    headers = "Content-Length" in same, same["ETag"] == etag
    return equal.status, both.status, headers, "Content-Length" in deleted


def ranges(server: Target, value: str) -> object:
    """What a Range header brings: the parts, or the status."""
    answer = server.request("GET", "a.bin", Range=value)
    if answer.status != 206:
        return answer.status
    kind = answer.headers["Content-Type"]
    if not kind.startswith("multipart/"):
        return [answer.body]
    message = message_from_bytes(f"Content-Type: {kind}\r\n\r\n".encode() + answer.body)
    return [part.get_payload(decode=True) for part in message.get_payload()]


@defect(
    "D34",
    here=[[BODY[:5], BODY[2000:2010]], 416, 200, 200],
    stock=lambda seen: seen[0] == [BODY[2000:2010]] and seen[1] == [b""] and seen[3] == 416,
)
def test_every_range_is_what_was_asked_for(server: Target) -> object:
    """Several of them; none of an empty end; none in other units or of nonsense."""
    server.put("a.bin", BODY)
    values = ("bytes=0-4,2000-2009", "bytes=-0", "items=0-5", "bytes=nonsense")
    return [ranges(server, value) for value in values]
