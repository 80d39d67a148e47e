"""Forms with files, read part by part while they arrive.

Flask keeps a form whole, in memory and in temporary files, before a page is
asked; files that people upload would be on the disk twice, and in no quota.
Here nothing is kept: who takes a part reads its bytes as they come.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from werkzeug.exceptions import RequestEntityTooLarge
from werkzeug.http import parse_options_header
from werkzeug.sansio.multipart import (
    Data,
    Epilogue,
    Event,
    Field,
    File,
    MultipartDecoder,
    NeedData,
)

from ..errors import BadRequest, TooLarge, UnsupportedMedia

#: Of one block of the body with what is left of the one before; the head of a
#: part may have no more either.
_BUFFER_BYTES_MAX = 1 << 20
_PARTS_MAX = 10_000

_CUT = "The form did not arrive whole."


@dataclass(frozen=True, slots=True)
class Part:
    """One field of a form.

    Args:
        file_name: of a file, as its owner calls it, empty where none was
            chosen; None for what was typed.
        blocks: its bytes, to be read before the next part is asked for.
    """

    name: str
    file_name: str | None
    blocks: Iterator[bytes]

    def text(self, bytes_max: int) -> str:
        """Read what was typed.

        Raises:
            TooLarge: it has more than *bytes_max*.
        """
        read = bytearray()
        for block in self.blocks:
            read += block
            if len(read) > bytes_max:
                raise TooLarge("This is more than a form may hold.")
        return read.decode(errors="replace")


def parts(content_type: str, body: Iterable[bytes]) -> Iterator[Part]:
    """Yield the parts of a form in their order.

    Args:
        body: blocks of less than half a MiB.

    Raises:
        UnsupportedMedia: it is no form with files (RFC 7578).
        BadRequest: it breaks off, or is malformed.
        TooLarge: it has too many parts, or one with too long a head.
    """
    media_type, options = parse_options_header(content_type)
    if media_type != "multipart/form-data" or not options.get("boundary"):
        raise UnsupportedMedia("This is no form with files.")
    events = _events(options["boundary"].encode(), body)
    for event in events:
        if isinstance(event, Field | File):
            blocks = _blocks(events)
            yield Part(event.name, event.filename if isinstance(event, File) else None, blocks)
            for _ in blocks:  # what nobody wanted
                pass


def _blocks(events: Iterator[Event]) -> Iterator[bytes]:
    for event in events:
        if isinstance(event, Data):
            if event.data:
                yield event.data
            if not event.more_data:
                return
    raise BadRequest(_CUT)


def _events(boundary: bytes, body: Iterable[bytes]) -> Iterator[Event]:
    decoder = MultipartDecoder(boundary, _BUFFER_BYTES_MAX, max_parts=_PARTS_MAX)
    try:
        for block in body:
            decoder.receive_data(block)
            while not isinstance(event := decoder.next_event(), NeedData):
                yield event
        decoder.receive_data(None)
        while not isinstance(event := decoder.next_event(), Epilogue):
            yield event
    except RequestEntityTooLarge:
        raise TooLarge("This is more than a form may hold.") from None
    except ValueError:
        raise BadRequest(_CUT) from None
