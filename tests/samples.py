"""The smallest contents of each type, good and bad, for tests of any kind."""

import io
import struct
import zipfile
from collections.abc import Sequence

PDF = b"%PDF-1.7\n1 0 obj\n<<>>\nendobj\ntrailer\n<<>>\n%%EOF\n"
PNG = b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR\x00\x00\x00\x01"
JPEG = b"\xff\xd8\xff\xe0\x00\x10JFIF\x00"
GIF = b"GIF89a\x01\x00\x01\x00\x00\x00\x00;"
EXE = b"MZ\x90\x00\x03\x00\x00\x00\x04\x00\x00\x00\xff\xff\x00\x00"
TEXT = "Grüße\r\n".encode()

_OOXML = "application/vnd.openxmlformats-officedocument."
WORD_MAIN = _OOXML + "wordprocessingml.document.main+xml"
EXCEL_MAIN = _OOXML + "spreadsheetml.sheet.main+xml"
POWERPOINT_MAIN = _OOXML + "presentationml.presentation.main+xml"

#: The file names of an OLE2 file with a password-protected document inside.
ENCRYPTED = ("Root Entry", "EncryptionInfo", "EncryptedPackage", "\x06DataSpaces", "Version")


def zipped(parts: dict[str, bytes], *, compression: int = zipfile.ZIP_DEFLATED) -> bytes:
    """Make an archive of *parts*, in their order."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", compression) as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    return file.getvalue()


def content_types(*types: str) -> bytes:
    """Write the part that says what every other part is."""
    overrides = "".join(
        f'<Override PartName="/p{n}" ContentType="{t}"/>' for n, t in enumerate(types)
    )
    return (
        '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>'
        '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">'
        f'<Default Extension="xml" ContentType="application/xml"/>{overrides}</Types>'
    ).encode()


def package(main_type: str, main_part: str, *types: str, **parts: bytes) -> bytes:
    """Make an Office document of the new kind; `__` in a part's name is a slash."""
    named = {name.replace("__", "/"): content for name, content in parts.items()}
    return zipped(
        {
            "[Content_Types].xml": content_types(main_type, *types),
            "_rels/.rels": b"<Relationships/>",
            main_part: b"<document/>",
            **named,
        }
    )


def docx(text: bytes = b"<document/>") -> bytes:
    """A Word document."""
    return package(WORD_MAIN, "word/document.xml", word__text=text)


def compound(names: Sequence[str] = ("Root Entry", "PowerPoint Document")) -> bytes:
    """Make an OLE2 file with nothing but names in its directory."""
    entries = [_entry(name) for name in names]
    entries += [bytes(128)] * (-len(entries) % 4)
    sectors = len(entries) // 4
    chain = [0xFFFFFFFD, *range(2, sectors + 1), 0xFFFFFFFE]
    table = struct.pack("<128L", *chain, *([0xFFFFFFFF] * (128 - len(chain))))
    header = struct.pack(
        "<8s16s5H6s9L",
        b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1",
        bytes(16),
        *(0x3E, 3, 0xFFFE, 9, 6),
        bytes(6),
        *(0, 1, 1, 0, 4096, 0xFFFFFFFE, 0, 0xFFFFFFFE, 0),
    )
    places = struct.pack("<109L", 0, *([0xFFFFFFFF] * 108))
    return header + places + table + b"".join(entries)


def _entry(name: str) -> bytes:
    encoded = name.encode("utf-16-le")
    return struct.pack("<64sHBB60s", encoded, len(encoded) + 2, 2, 1, bytes(60))


XLSX = package(EXCEL_MAIN, "xl/workbook.xml")
PPTX = package(POWERPOINT_MAIN, "ppt/presentation.xml")
DOCX = docx()
PROTECTED = compound(ENCRYPTED)
MACROS = package(
    "application/vnd.ms-word.document.macroEnabled.main+xml",
    "word/document.xml",
    "application/vnd.ms-office.vbaProject",
    word__vbaProject_bin=b"",
)

#: Content that fits each extension of the default allow-list.
FITTING = {
    "txt": TEXT,
    "pdf": PDF,
    "png": PNG,
    "jpg": JPEG,
    "jpeg": JPEG,
    "gif": GIF,
    "docx": DOCX,
    "xlsx": XLSX,
    "ppt": compound(),
    "pptx": PPTX,
}
