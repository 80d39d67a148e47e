"""What is known about each extension: one row each, nothing about any other.

A row is here only when its rule is certain: every program that writes such
files follows it. Who wants more of a type removes it from the allow-list.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial

from . import office, zips
from .budget import Reader
from .faults import Fault, FaultKind
from .office import EXCEL, POWERPOINT, WORD

#: How much of a text is looked at.
TEXT_BYTES = 2**20

#: Readers of PDF look for the header in so many bytes (ISO 32000-1, annex H).
_PDF_HEADER_WITHIN = 1024

#: Byte order marks of encodings in which NUL is a part of letters.
_WIDE_MARKS = (b"\xff\xfe", b"\xfe\xff", b"\x00\x00\xfe\xff")

Check = Callable[[Reader], Iterable[Fault]]


@dataclass(frozen=True, slots=True)
class FileType:
    """What a file of one extension must be.

    Args:
        label: with its article, for people: "a PDF document".
        check: says what is wrong; may raise `Unreadable` instead.
        unfit: the fault of content that is something else.
        finds_macros: whether macros in it are a fault of their own.
    """

    label: str
    check: Check
    unfit: Fault
    finds_macros: bool = False


def _type(
    label: str, check: Callable[[Reader, Fault], Iterable[Fault]], *, finds_macros: bool = False
) -> FileType:
    unfit = Fault(FaultKind.UNFIT, f"is not {label}")
    return FileType(label, partial(_call, check, unfit), unfit, finds_macros)


def _call(
    check: Callable[[Reader, Fault], Iterable[Fault]], unfit: Fault, reader: Reader
) -> Iterable[Fault]:
    return check(reader, unfit)


def _begins(label: str, *beginnings: bytes, at: int = 0) -> FileType:
    """A type whose content has one of *beginnings* at a fixed place."""
    longest = max(map(len, beginnings))

    def check(reader: Reader, unfit: Fault) -> Iterable[Fault]:
        return () if reader.read(at, longest).startswith(beginnings) else (unfit,)

    return _type(label, check)


def _riff(label: str, form: bytes) -> FileType:
    """A type in the RIFF container: its name stands after the length."""

    def check(reader: Reader, unfit: Fault) -> Iterable[Fault]:
        head = reader.read(0, 12)
        fits = head[:4] in (b"RIFF", b"RF64") and head[8:] == form
        return () if fits else (unfit,)

    return _type(label, check)


def _check_pdf(reader: Reader, unfit: Fault) -> Iterable[Fault]:
    return () if b"%PDF-" in reader.read(0, _PDF_HEADER_WITHIN) else (unfit,)


def _check_text(reader: Reader, unfit: Fault) -> Iterable[Fault]:
    text = reader.read(0, TEXT_BYTES)
    return () if text.startswith(_WIDE_MARKS) or b"\0" not in text else (unfit,)


def _check_mp3(reader: Reader, unfit: Fault) -> Iterable[Fault]:
    """Accept a tag or the first frame, after the zeros that some writers put before it."""
    head = reader.read(0, 4096).lstrip(b"\0")
    is_frame = len(head) > 1 and head[0] == 0xFF and head[1] & 0xE0 == 0xE0
    is_tag = head.startswith((b"ID3", b"APETAGEX", b"RIFF"))
    return () if is_frame or is_tag or not head else (unfit,)


def _package(label: str, family: office.Family, *, macros: bool = False) -> FileType:
    def check(reader: Reader, unfit: Fault) -> Iterable[Fault]:
        return office.check_package(reader, family, unfit, macros=macros)

    return _type(label, check, finds_macros=not macros)


def _declared(label: str, *media_types: bytes) -> FileType:
    """A zip container that says in its part ``mimetype`` what it is (ODF 1.3 part 2, 3.3)."""

    def check(reader: Reader, unfit: Fault) -> Iterable[Fault]:
        found = [part for part in zips.parts(reader) if part.name == "mimetype"]
        if len(found) != 1:
            return (unfit,)
        fits = zips.read_part(reader, found[0]).strip().startswith(media_types)
        return () if fits else (unfit,)

    return _type(label, check)


def _check_zip(reader: Reader, unfit: Fault) -> Iterable[Fault]:
    # The first four bytes only: an archive of a million files is one too, and
    # so is the first of several volumes.
    fits = zips.is_zip(reader) or reader.read(0, 4) == b"PK\x07\x08"
    return () if fits else (unfit,)


_TEXT = _type("plain text", _check_text)
_JPEG = _begins("a JPEG image", b"\xff\xd8\xff")
_TIFF = _begins("a TIFF image", b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")
#: Boxes that a file may begin with; the oldest have no ftyp (ISO 14496-12, 4.3).
_MP4 = _begins("an MP4 file", b"ftyp", b"styp", b"moov", b"mdat", b"free", b"skip", b"wide", at=4)
_ODF = b"application/vnd.oasis.opendocument."

TYPES: dict[str, FileType] = {
    "pdf": _type("a PDF document", _check_pdf),
    "txt": _TEXT,
    "csv": _TEXT,
    "tsv": _TEXT,
    "md": _TEXT,
    "png": _begins("a PNG image", b"\x89PNG\r\n\x1a\n"),
    "jpg": _JPEG,
    "jpeg": _JPEG,
    "gif": _begins("a GIF image", b"GIF87a", b"GIF89a"),
    "webp": _riff("a WebP image", b"WEBP"),
    "tif": _TIFF,
    "tiff": _TIFF,
    "heic": _begins("a HEIF image", b"ftyp", at=4),
    "docx": _package("a Word document", WORD),
    "dotx": _package("a Word template", WORD),
    "docm": _package("a Word document", WORD, macros=True),
    "xlsx": _package("an Excel workbook", EXCEL),
    "xltx": _package("an Excel template", EXCEL),
    "xlsm": _package("an Excel workbook", EXCEL, macros=True),
    "pptx": _package("a PowerPoint presentation", POWERPOINT),
    "ppsx": _package("a PowerPoint presentation", POWERPOINT),
    "potx": _package("a PowerPoint template", POWERPOINT),
    "pptm": _package("a PowerPoint presentation", POWERPOINT, macros=True),
    "doc": _type("a Word 97-2003 document", office.check_compound, finds_macros=True),
    "xls": _type("an Excel 97-2003 workbook", office.check_compound, finds_macros=True),
    "ppt": _type("a PowerPoint 97-2003 presentation", office.check_compound),
    "odt": _declared("an OpenDocument text", _ODF + b"text"),
    "ods": _declared("an OpenDocument spreadsheet", _ODF + b"spreadsheet"),
    "odp": _declared("an OpenDocument presentation", _ODF + b"presentation"),
    "odg": _declared("an OpenDocument drawing", _ODF + b"graphics"),
    "epub": _declared("an EPUB book", b"application/epub+zip"),
    "zip": _type("a zip archive", _check_zip),
    "mp4": _MP4,
    "m4a": _MP4,
    "mp3": _type("an MP3 file", _check_mp3),
    "wav": _riff("a WAV file", b"WAVE"),
    "flac": _begins("a FLAC file", b"fLaC", b"ID3"),
    "ogg": _begins("an Ogg file", b"OggS"),
}
