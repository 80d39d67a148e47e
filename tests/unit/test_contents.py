"""What bytes are, whatever their name says; and what hostile bytes cost."""

import io
import os
import struct
import tracemalloc
import zipfile

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from davhost.contents import TYPES, FaultKind, find_faults, is_judged
from davhost.contents.budget import BUDGET_BYTES
from davhost.contents.zips import PART_BYTES_MAX
from tests import samples
from tests.instance import DEFAULT_ALLOW
from tests.samples import content_types, package, zipped

RIFF = b"RIFF\x10\x00\x00\x00"
FTYP = b"\x00\x00\x00\x18ftypisom"
ODF = b"application/vnd.oasis.opendocument."
_TYPES = "[Content_Types].xml"
TEMPLATE = "application/vnd.openxmlformats-officedocument.wordprocessingml.template.main+xml"
UTF_16_TYPES = content_types(samples.WORD_MAIN).decode().replace("UTF-8", "UTF-16").encode("utf-16")

GOOD = [
    *samples.FITTING.items(),
    ("pdf", b"\xef\xbb\xbf\r\n" + samples.PDF),
    ("pdf", bytes(1000) + samples.PDF),
    ("gif", b"GIF87a"),
    ("txt", "\ufeffGr\u00fc\u00dfe".encode("utf-16-le")),
    ("txt", "\ufeffGr\u00fc\u00dfe".encode("utf-16-be")),
    ("txt", "\ufeffGr\u00fc\u00dfe".encode("utf-32-le")),
    ("txt", "\ufeffGr\u00fc\u00dfe".encode("utf-32-be")),
    ("csv", b"a;b\n\xe4;\xff\n"),
    ("tsv", b"a\tb\n"),
    ("md", b"# \xf0\x9f\x98\x80\n"),
    ("webp", RIFF + b"WEBPVP8 "),
    ("wav", RIFF + b"WAVEfmt "),
    ("tif", b"II*\0\x08\0\0\0"),
    ("tiff", b"MM\0*\0\0\0\x08"),
    ("heic", b"\0\0\0\x18ftypheic"),
    ("mp4", FTYP),
    ("m4a", FTYP),
    ("mp3", b"ID3\x04\0"),
    ("mp3", bytes(100) + b"\xff\xfb\x90\x44"),
    ("flac", b"fLaC\0"),
    ("ogg", b"OggS\0"),
    ("zip", zipped({"a": b"a"})),
    ("zip", zipped({})),
    ("odt", zipped({"mimetype": ODF + b"text"}, compression=zipfile.ZIP_STORED)),
    ("odt", zipped({"a": b"", "mimetype": ODF + b"text-template\n"})),
    ("ods", zipped({"mimetype": ODF + b"spreadsheet"})),
    ("odp", zipped({"mimetype": ODF + b"presentation"})),
    ("odg", zipped({"mimetype": ODF + b"graphics"})),
    ("epub", zipped({"mimetype": b"application/epub+zip"})),
    ("doc", samples.compound(["Root Entry", "WordDocument"])),
    ("doc", samples.compound()[:512]),
    ("xls", samples.compound(["Root Entry", "Workbook"])),
    ("docx", samples.PROTECTED),
    ("xlsx", samples.PROTECTED),
    ("pptx", samples.PROTECTED),
    ("docx", package(samples.WORD_MAIN, "word/document2.xml")),
    ("docx", package("application/xml", "word/document.xml")),
    ("docx", package(TEMPLATE, "word/document.xml")),
    ("docx", zipped({"[Content_Types].xml": UTF_16_TYPES})),
    ("docx", zipped({"[CONTENT_TYPES].XML": b"", "word\\document.xml": b""})),
    ("docx", zipped({"[Content_Types].xml": content_types(), "/word/document.xml": b""})),
    ("docx", samples.DOCX[:-2] + b"\x07\0comment"),
    ("dotx", package(TEMPLATE, "word/document.xml")),
    ("xltx", samples.XLSX),
    ("ppsx", samples.PPTX),
    ("potx", samples.PPTX),
    ("docm", samples.MACROS),
    ("xlsm", samples.XLSX),
    ("pptm", samples.PPTX),
]


def faults(extension: str, content: bytes) -> list[FaultKind]:
    """Judge *content* under a name that ends in *extension*."""
    return [fault.kind for fault in find_faults(io.BytesIO(content), extension)]


@pytest.mark.parametrize(("extension", "content"), GOOD)
def test_what_fits_has_no_fault(extension: str, content: bytes) -> None:
    """Content of the type that the name says, as different programs write it."""
    assert faults(extension, content) == []


def test_every_row_of_the_table_is_tried() -> None:
    """A new type comes with a sample."""
    assert {extension for extension, _ in GOOD} == set(TYPES)
    assert set(DEFAULT_ALLOW.split(",")) <= set(TYPES)


@pytest.mark.parametrize("extension", TYPES)
@pytest.mark.parametrize("content", [samples.EXE, b"\x7fELF\0\0"], ids=["MZ", "ELF"])
def test_a_program_is_nothing_else(extension: str, content: bytes) -> None:
    """No type takes a program for one of its own."""
    assert faults(extension, content) == [FaultKind.UNFIT]


@pytest.mark.parametrize("extension", samples.FITTING)
def test_types_are_told_apart(extension: str) -> None:
    """A document under the name of another type is not what the name says."""
    same = {"jpg": "jpeg", "jpeg": "jpg"}.get(extension, extension)
    for other, content in samples.FITTING.items():
        unfit = other not in (extension, same) and not (extension == "txt" and b"\0" not in content)
        assert bool(faults(extension, content)) == unfit, other


@pytest.mark.parametrize(
    ("extension", "content"),
    [
        ("pdf", bytes(1024) + samples.PDF),
        ("pdf", b"%PDF"),
        ("png", samples.PNG[:7]),
        ("jpg", b"\xff\xd8"),
        ("txt", b"text\0"),
        ("webp", RIFF + b"WAVEfmt "),
        ("docx", b"PK\x03\x04"),
        ("docx", zipped({"word/document.xml": b""})),
        ("docx", zipped({"[Content_Types].xml": content_types(samples.WORD_MAIN)})[:-10]),
        ("docx", zipped({"[Content_Types].xml": content_types(samples.EXCEL_MAIN)})),
        ("docx", zipped({"[Content_Types].xml": b"<!DOCTYPE a>", "word/document.xml": b""})),
        ("docx", samples.compound(["Root Entry", "WordDocument"])),
        ("docx", samples.EXE + samples.DOCX),
        ("docx", samples.DOCX[:200] + samples.DOCX[400:]),
        ("docx", zipped({"a.docx": samples.DOCX})),
        ("odt", zipped({"mimetype": ODF + b"spreadsheet"})),
        ("odt", zipped({"content.xml": b""})),
        ("zip", b"PK"),
        ("ppt", samples.PPTX),
    ],
)
def test_what_does_not_fit_is_a_fault(extension: str, content: bytes) -> None:
    """Cut short, in the wrong place, of a relative, or hidden behind something else."""
    assert faults(extension, content) == [FaultKind.UNFIT]


def test_two_lists_of_types_are_no_list() -> None:
    """Two programs might read different ones."""
    other = zipped({"[Content_Types].xm_": content_types(samples.WORD_MAIN), "a": samples.DOCX})
    assert faults("docx", other.replace(b".xm_", b".xml")) == []
    twice = zipped({name: content_types(samples.WORD_MAIN) for name in (_TYPES, _TYPES[:-1] + "_")})
    assert faults("docx", twice.replace(b".xm_", b".xml")) == [FaultKind.UNFIT]


@pytest.mark.parametrize(
    "content",
    [
        samples.MACROS,
        package(samples.WORD_MAIN, "word/document.xml", **{"word__vbaProject.bin": b""}),
        package(samples.WORD_MAIN, "word/document.xml", **{"other__VBAPROJECT.BIN": b""}),
        package(samples.WORD_MAIN, "word/document.xml", "application/vnd.ms-office.vbaProject"),
        package(
            samples.WORD_MAIN, "word/document.xml", "application/vnd.ms-office.&#118;baProject"
        ),
    ],
    ids=["docm", "part", "other part", "type", "type behind a reference"],
)
def test_macros_are_a_fault_of_their_own(content: bytes) -> None:
    """By the name of a part or by the type of any."""
    assert faults("docx", content) == [FaultKind.MACROS]
    assert faults("docm", content) == []


def test_both_faults_are_reported() -> None:
    """What a setting allows must not hide the other fault."""
    content = package(samples.EXCEL_MAIN, "xl/workbook.xml", **{"xl__vbaProject.bin": b""})
    assert faults("docx", content) == [FaultKind.UNFIT, FaultKind.MACROS]
    assert faults("xlsx", content) == [FaultKind.MACROS]


def test_macros_of_old_documents_are_found() -> None:
    """Word keeps them in Macros/VBA, Excel in _VBA_PROJECT_CUR/VBA."""
    names = ["Root Entry", "WordDocument", "1Table", "Data", "Macros", "VBA", "dir"]
    assert faults("doc", samples.compound(names)) == [FaultKind.MACROS]


@pytest.mark.parametrize("extension", [*TYPES, "exe", "", "tar.gz"])
def test_empty_content_is_never_judged(extension: str) -> None:
    """It is a normal stage of saving."""
    assert faults(extension, b"") == []


@pytest.mark.parametrize("extension", ["exe", "", "PDF", "unknown"])
def test_what_nothing_is_known_about_is_never_judged(extension: str) -> None:
    """Extensions come case-folded."""
    assert not is_judged(extension)
    assert faults(extension, samples.EXE) == []


def test_words_can_stand_in_a_status_line() -> None:
    """Content … is not a PDF document."""
    for extension, file_type in TYPES.items():
        assert file_type.unfit.words.startswith("is not "), extension
        assert file_type.unfit.words.isascii()
        assert file_type.unfit.words.isprintable()


# Hostile content


class Watched(io.BytesIO):
    """Counts what is read."""

    read_bytes = 0

    def read(self, size: int | None = -1, /) -> bytes:
        """Read and count."""
        data = super().read(size)
        self.read_bytes += len(data)
        return data


def million_entries() -> bytes:
    """An archive with a million names: 50 MB of table of contents."""
    entry = struct.pack(
        "<4s6H3L5H2L", b"PK\x01\x02", *(20, 20, 0, 0, 0, 0), *(0, 0, 0), *(1, 0, 0, 0, 0), *(0, 0)
    )
    directory = (entry + b"a") * 1_000_000
    end = struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, 65535, 65535, len(directory), 4, 0)
    return b"PK\x03\x04" + directory + end


def lying_directory(length: int, offset: int) -> bytes:
    """An archive whose end says what is not so."""
    return samples.DOCX[:-22] + struct.pack(
        "<4s4H2LH", b"PK\x05\x06", 0, 0, 1, 1, length, offset, 0
    )


def long_table(content: bytes) -> bytes:
    """A compound file whose allocation table is a chain in a circle."""
    header = bytearray(content)
    struct.pack_into("<L", header, 48, 0xFFFFFF00)  # the directory is far away
    struct.pack_into("<2L", header, 68, 1, 0xFFFFFFF0)
    return bytes(header) + bytes(512 * 4)


HOSTILE = {
    "million entries": million_entries(),
    "bomb": zipped({"[Content_Types].xml": bytes(200 * 2**20)}),
    "large directory": lying_directory(0xFFFFFFFE, 0),
    "far directory": lying_directory(46, 0xFFFFFFFE),
    "directory before the start": lying_directory(len(samples.DOCX), 0),
    "zip64 nowhere": samples.DOCX[:-22]
    + struct.pack("<4sLQL", b"PK\x06\x07", 0, 2**63, 1)
    + samples.DOCX[-22:],
    "nested prefixes": b"PK\x03\x04" * 10_000 + samples.DOCX,
    "ends without number": b"PK\x03\x04" + b"PK\x05\x06" * 100_000,
    "billion laughs": zipped(
        {
            _TYPES: b'<!DOCTYPE a [<!ENTITY a "ha"><!ENTITY b "&a;&a;">]><a b="&b;"/>',
            "word/document.xml": b"",
        }
    ),
    "circle": samples.compound(["a"] * 4)[:512]
    + struct.pack("<128L", *([1] * 128))
    + samples.compound(["a"] * 4)[1024:],
    "long table": long_table(samples.compound()),
    "all NUL": bytes(20 * 2**20),
    "all PK": b"PK\x01\x02" * 2**20,
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_content_costs_little(name: str) -> None:
    """A few MiB of reading and of memory, whatever it says about itself."""
    for extension in ("docx", "xlsx", "ppt", "doc", "odt", "zip", "txt", "pdf"):
        content = Watched(HOSTILE[name])
        tracemalloc.start()
        find_faults(content, extension)
        _, peak_bytes = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert content.read_bytes <= BUDGET_BYTES
        assert peak_bytes < 3 * BUDGET_BYTES + PART_BYTES_MAX


@pytest.mark.parametrize("name", sorted(set(HOSTILE) - {"nested prefixes"}))
def test_hostile_content_is_no_document(name: str) -> None:
    """What cannot be understood does not fit."""
    assert faults("docx", HOSTILE[name]) == [FaultKind.UNFIT]


def test_only_so_much_is_decompressed() -> None:
    """A list of types that ends beyond the limit might hide one there."""
    types = content_types(samples.WORD_MAIN)
    for padding, expected in ((PART_BYTES_MAX - len(types), []), (PART_BYTES_MAX, ["unfit"])):
        parts = {"[Content_Types].xml": types + b" " * padding, "word/document.xml": b""}
        assert faults("docx", zipped(parts)) == expected


MUTABLE = [samples.DOCX, samples.PROTECTED, samples.MACROS, *samples.FITTING.values()]


@given(st.sampled_from(sorted(TYPES)), st.binary(max_size=2000))
@example("docx", b"PK\x05\x06" + bytes(18))
@example("ppt", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(504))
def test_noise_is_never_an_error(extension: str, content: bytes) -> None:
    """Whatever the bytes are, the answer is a fault or none."""
    faults(extension, content)


@given(
    st.sampled_from(sorted(TYPES)),
    st.sampled_from(MUTABLE),
    st.lists(st.tuples(st.integers(0, 4000), st.binary(min_size=1, max_size=8)), max_size=6),
    st.integers(0, 4000),
)
def test_damage_is_never_an_error(
    extension: str, content: bytes, changes: list[tuple[int, bytes]], cut: int
) -> None:
    """Documents with some bytes changed, and cut off somewhere."""
    damaged = bytearray(content)
    for place, patch in changes:
        start = place % len(damaged)
        damaged[start : start + len(patch)] = patch
    faults(extension, bytes(damaged))
    faults(extension, bytes(damaged[:cut]))


def test_a_disk_that_fails_is_no_fault() -> None:
    """What cannot be read now may be read tomorrow."""

    class Broken(io.BytesIO):
        def read(self, size: int | None = -1, /) -> bytes:
            raise OSError(5, os.strerror(5))

    with pytest.raises(OSError, match="error"):
        find_faults(Broken(samples.PDF), "pdf")
