"""Content in one word: ``docx(old)`` is a small but real .docx that says "old".

Only what programs mark their temporaries with is not what its name says.
"""

import io
import re
import zipfile
from collections.abc import Callable

_BODY = re.compile(r"(\w+)\(([^()]*)\)")

_PARTS = {"docx": "word/document.xml", "xlsx": "xl/workbook.xml", "pptx": "ppt/presentation.xml"}
_MAIN = {
    "docx": "wordprocessingml.document",
    "xlsx": "spreadsheetml.sheet",
    "pptx": "presentationml.presentation",
}


def _office(extension: str, text: str) -> bytes:
    """Make the smallest package that names and holds its main part."""
    part, content_type = _PARTS[extension], "application/vnd.openxmlformats-"
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as package:
        for name, xml in {
            "[Content_Types].xml": (
                '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">'
                f'<Override PartName="/{part}" ContentType="{content_type}officedocument.'
                f'{_MAIN[extension]}.main+xml"/></Types>'
            ),
            part: f"<text>{text}</text>",
        }.items():
            # A fixed date: the same words are the same bytes.
            package.writestr(zipfile.ZipInfo(name, (2026, 1, 1, 0, 0, 0)), xml)
    return packed.getvalue()


_KINDS: dict[str, Callable[[str], bytes]] = {
    "txt": lambda text: f"{text} content\n".encode(),
    "pdf": lambda text: f"%PDF-1.7\n% {text}\n%%EOF\n".encode(),
    "jpg": lambda text: b"\xff\xd8\xff\xe0\0\x10JFIF\0" + text.encode() + b"\xff\xd9",
    "png": lambda text: b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + text.encode(),
    # Beside a document: who has it open, and what its Mac thought of it.
    "owner": lambda text: f"\x05{text:53}".encode() + text.ljust(54).encode("utf-16-le"),
    "appledouble": lambda text: b"\0\x05\x16\x07\0\x02\0\0Mac OS X        " + text.encode(),
    "raw": lambda text: b"\0\1\2" + text.encode(),
}


def body(spelled: str) -> bytes:
    """Make the bytes that a word such as ``docx(new)`` or ``empty`` stands for."""
    if spelled == "empty":
        return b""
    match = _BODY.fullmatch(spelled)
    assert match, f"{spelled!r} is no content"
    kind, text = match.groups()
    return _office(kind, text) if kind in _PARTS else _KINDS[kind](text)
