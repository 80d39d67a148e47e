"""Office documents: Open Packaging containers, and the older compound files.

A document is what its content types say (ECMA-376 part 2, section 10.1.2.2):
writers give the main part names of their own. Password-protected documents of
the new formats are compound files with one encrypted stream (MS-OFFCRYPTO 2.3),
and nobody can see what is inside.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from xml.parsers import expat

from . import compound, zips
from .budget import Reader, TooCostly, Unreadable
from .faults import MACROS, Fault

_TYPES_PART = "[content_types].xml"

#: What the content types of programs inside a document hold, case-folded.
_MACRO_TYPES = ("macroenabled", "vbaproject", "macrosheet")
_MACRO_PARTS = ("vbaproject.bin", "vbadata.xml")


@dataclass(frozen=True, slots=True)
class Family:
    """Documents of one program.

    Args:
        markup: what the content type of every main part holds.
        main_part: where nearly all writers put it.
    """

    markup: tuple[str, ...]
    main_part: str


WORD = Family(("wordprocessingml", "ms-word"), "word/document.xml")
EXCEL = Family(("spreadsheetml", "ms-excel"), "xl/workbook.xml")
POWERPOINT = Family(("presentationml", "ms-powerpoint"), "ppt/presentation.xml")


def check_package(reader: Reader, family: Family, unfit: Fault, *, macros: bool) -> Iterable[Fault]:
    """Judge a docx, xlsx, pptx or one of their relatives.

    Args:
        macros: the extension says that there are some.

    Raises:
        Unreadable: it is damaged.
    """
    if compound.is_compound(reader):
        return () if "encryptedpackage" in compound.names(reader) else (unfit,)
    return list(_package_faults(reader, family, unfit, macros=macros))


def _package_faults(
    reader: Reader, family: Family, unfit: Fault, *, macros: bool
) -> Iterator[Fault]:
    types_parts, has_main_part, has_macros = [], False, False
    for part in zips.parts(reader):
        has_main_part |= part.name == family.main_part
        has_macros |= part.name.endswith(_MACRO_PARTS)
        if part.name == _TYPES_PART:
            types_parts.append(part)
    if len(types_parts) != 1:
        yield unfit
        return
    types = _content_types(zips.read_part(reader, types_parts[0]))
    if not has_main_part and not any(_is_main(type_, family) for type_ in types):
        yield unfit
    has_macros |= any(mark in type_ for mark in _MACRO_TYPES for type_ in types)
    if has_macros and not macros:
        yield MACROS


def check_compound(reader: Reader, unfit: Fault) -> Iterable[Fault]:
    """Judge a doc, xls or ppt: the first bytes, and whether there are macros.

    Macros that a damaged directory hides are hidden from the programs too.

    Raises:
        TooCostly: it has more parts than any document.
    """
    if not compound.is_compound(reader):
        return (unfit,)
    try:
        # Word keeps them in Macros/VBA, Excel in _VBA_PROJECT_CUR/VBA.
        return (MACROS,) if "vba" in compound.names(reader) else ()
    except TooCostly:
        raise
    except Unreadable:
        return ()


def _is_main(content_type: str, family: Family) -> bool:
    is_main = content_type.endswith((".main+xml", ".main"))
    return is_main and any(markup in content_type for markup in family.markup)


def _content_types(xml: bytes) -> set[str]:
    """Collect the types that [Content_Types].xml declares, case-folded.

    What is not well formed is read as far as it goes: no program goes further.

    Raises:
        Unreadable: it declares a DTD, which the format forbids (ECMA-376 part
            2, section 8.1.4) and which could hide a type behind an entity.
    """
    types: set[str] = set()

    def start(_: str, attributes: dict[str, str]) -> None:
        types.add(attributes.get("ContentType", "").strip().casefold())

    def doctype(*_: object) -> None:
        raise Unreadable("the content types declare a DTD")

    parser = expat.ParserCreate()
    parser.StartElementHandler = start
    parser.StartDoctypeDeclHandler = doctype
    with suppress(expat.ExpatError, LookupError):  # LookupError: an unknown encoding
        parser.Parse(xml, True)
    return types
