"""Small pictures of pictures."""

from __future__ import annotations

import io
import struct
import threading
import zlib

import pytest
from PIL import Image

from davhost.errors import Unavailable
from davhost.web.thumbnails import Thumbnails
from tests.web.browser import Browser


def picture(kind: str = "PNG", size: tuple[int, int] = (640, 400), **options: object) -> bytes:
    """Make a picture, red on the left and blue on the right."""
    made = Image.new("RGB", size, (200, 0, 0))
    made.paste((0, 0, 200), (size[0] // 2, 0, *size))
    data = io.BytesIO()
    made.save(data, kind, **options)
    return data.getvalue()


def bomb() -> bytes:
    """Make a PNG of a few bytes that says it has 20,000 times 20,000 pixels."""

    def chunk(name: bytes, data: bytes) -> bytes:
        return (
            struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
        )

    head = struct.pack(">IIBBBBB", 20_000, 20_000, 8, 2, 0, 0, 0)
    body = zlib.compress(b"\0" * 100_000)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", body) + chunk(b"IEND", b"")


def etag_of(browser: Browser, url: str) -> str:
    """Read the ETag of a file as it stands in the URL of its thumbnail."""
    return browser.fetch("HEAD", url).headers["ETag"].strip('"')


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "GIF", "WEBP", "BMP"])
def test_a_picture_has_a_small_one(signed_in: Browser, kind: str) -> None:
    """Square, a few kilobytes, and kept for ever under a URL with the ETag."""
    name = f"/a.{kind.lower()}"
    signed_in.fetch("PUT", name, picture(kind))
    answer = signed_in.go(f"/-/thumbnail/{etag_of(signed_in, name)}{name}")
    assert answer.mimetype == "image/webp"
    assert "immutable" in answer.headers["Cache-Control"]
    assert answer.headers["Cache-Control"].startswith("private")
    with Image.open(io.BytesIO(answer.data)) as small:
        assert small.size == (96, 96)
        left, right = (small.convert("RGB").getpixel((x, 48)) for x in (5, 90))
    assert left[0] > 150 > left[2]
    assert right[2] > 150 > right[0]


def test_a_picture_stands_as_the_camera_was_held(signed_in: Browser) -> None:
    """Phones store the turn, not the turned picture."""
    exif = Image.Exif()
    exif[0x0112] = 3  # upside down
    signed_in.fetch("PUT", "/a.jpg", picture("JPEG", exif=exif))
    answer = signed_in.go("/-/thumbnail/x/a.jpg")
    with Image.open(io.BytesIO(answer.data)) as small:
        red, _, blue = small.convert("RGB").getpixel((5, 48))
    assert blue > red


def test_another_content_has_another_thumbnail(signed_in: Browser) -> None:
    """A URL of before does not keep what is there now."""
    signed_in.fetch("PUT", "/a.png", picture())
    old = etag_of(signed_in, "/a.png")
    first = signed_in.go(f"/-/thumbnail/{old}/a.png")
    signed_in.fetch("PUT", "/a.png", picture(size=(50, 900)))
    second = signed_in.go(f"/-/thumbnail/{old}/a.png")
    assert second.data != first.data
    assert second.headers["Cache-Control"] == "private, no-cache"


@pytest.mark.parametrize(
    "content",
    [b"no picture at all", picture()[:100], bomb(), b"%!PS-Adobe-3.0 EPSF-3.0\n", b"GIF89a" * 50],
    ids=["text", "cut", "bomb", "postscript", "garbage"],
)
def test_what_is_no_picture_has_none(signed_in: Browser, content: bytes) -> None:
    """Nothing breaks, and it is not tried again."""
    signed_in.fetch("PUT", "/a.png", content)
    for _ in range(2):
        assert signed_in.go("/-/thumbnail/x/a.png").status_code == 404


def test_a_broken_picture_is_read_once() -> None:
    """Whoever asks again gets the answer of before."""
    opened = []

    def open_() -> io.BytesIO:
        opened.append(1)
        return io.BytesIO(b"no picture")

    made = Thumbnails()
    assert [made.get("key", open_) for _ in range(3)] == [b"", b"", b""]
    assert len(opened) == 1


def test_what_is_kept_is_bounded() -> None:
    """Those that were asked for last stay."""
    made = Thumbnails(kept_bytes_max=3000)
    asked: list[str] = []

    def ask(key: str) -> None:
        made.get(key, lambda: asked.append(key) or io.BytesIO(b"no picture"))  # type: ignore[func-returns-value]

    for number in range(100):
        ask(str(number))
    ask("99")
    assert len(asked) == 100
    ask("0")
    assert len(asked) == 101


def test_no_more_than_a_few_are_made_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Who comes too many is asked to come again, and holds up nobody."""
    monkeypatch.setattr("davhost.web.thumbnails._WAIT_SECONDS", 0)
    made, begun, go_on = Thumbnails(at_once=1), threading.Event(), threading.Event()

    def slowly() -> io.BytesIO:
        begun.set()
        go_on.wait(30)
        return io.BytesIO(picture())

    worker = threading.Thread(target=made.get, args=("a", slowly))
    worker.start()
    begun.wait(30)
    with pytest.raises(Unavailable):
        made.get("b", lambda: io.BytesIO(picture()))
    go_on.set()
    worker.join()
    assert made.get("b", lambda: io.BytesIO(picture()))
