"""What a name says about the file it is given to."""

import itertools
import time
import unicodedata

import pytest

from davhost.model import Kind, Rules
from davhost.names import MARKS, TEMPORARIES, NameClass, classify, hides, is_temporary
from davhost.paths import DavPath, Name

DEFAULT = Rules.parse("txt,pdf,png,jpg,jpeg,gif,docx,xlsx,ppt,pptx")
EVERYTHING = Rules.parse("*")
NOTHING = Rules(frozenset())

#: Examples of every class with a scratch name, most of them from what clients send.
SCRATCH = {
    NameClass.LITTER: ["._photo.jpg", ".DS_Store", ".Spotlight-V100", "desktop.ini", "Thumbs.db"],
    NameClass.OWNER_MARK: ["~$report.docx", "~$x.exe", ".~lock.report.docx#"],
    NameClass.SWAP: [".a.txt.swp", ".a.txt.swx", ".swp", "4913", "a.txt~", "#a.txt#", ".#a.txt"],
    NameClass.SAVE: [
        "~WRD0001.tmp",
        "~WRL0003.TMP",
        "34429E5E.tmp",
        "A9A97EC7",
        "a9a97e",
        "ppt9A1C.tmp",
        "~icrosoft Excel-Arbeitsblatt (neu).tmp",
        "Backup of report.wbk",
        "AutoRecovery save of report.asd",
        "Word Work File D_1.tmp",
        "Word Work File L_123",
        "MCF-1A2B3C",
        "lu28148n0x8.tmp",
        ".goutputstream-760EZ3",
        "sedH2eK5q",
        "XXK2Nqvn",
        "tmpk3j2_x9a",
        ".tmpAbCdEf",
        ".fuse_hidden0000000100000001",
        ".nfs00000000012345670000",
        "f040baf0-5c30-45b4-8ab0-f697e42ba6d6",
    ],
    NameClass.DERIVED: [
        "plan.pdf.part",
        "plan.pdf.1a2b3c4d.partial",
        "plan.pdf.filepart",
        "plan.pdf.crdownload",
        "plan.pdf.crswap",
        "plan.pdf.ocTransferId1234567.part",
        "plan.pdf.bak",
        "plan.pdf.old2",
        "plan.pdf.new",
        "plan.pdf.lock",
        "a.txt.__tmp",
        "home_page.jpg_exiftool_tmp",
        "home_page.jpg_original",
        "Invoice No1.docx-f040baf0-5c30-45b4-8ab0-f697e42ba6d6",
        "test.txt.sb-ac6800a0-t3YBFI",
        ".big.pdf.xDnvZb",
        ".a.txt.kate-swp",
        ".my_file.pdf.1588940477075",
        "a.txt.3287716341",
        ".a.txt1847363521",
        "plan.pdf.0123456789abcdef",
    ],
}

FORBIDDEN = [
    "evil.exe",
    "EVIL.EXE",
    "evil.docx.exe",
    "evil.pdf.exe.part",
    "evil.exe.part",
    "evil.exe.bak",
    "evil.docx.tmp.exe",
    "evil.docx.old.exe",
    "evil.docx.scr",
    "evil.docx.js",
    "evil.docx:exe",
    "evil.docx::$DATA",
    "evil.exe;x",
    ".htaccess",
    ".bashrc",
    "evil",
    "docx",
    "template",
    "temperature",
    "autorun.inf",
    "a.txtx",
    "a.docx.template",
    "invoice\u202excod.exe",  # shows as invoiceexe.docx
    "evil.doc\u200bx",
    "evil.exe\u00a0",
    "\u202etxt.exe",
    "x.gıf",  # a dotless i
]

#: What people call their documents, and programs never.
DOCUMENTS = [
    "20261122.pdf",
    "2026-11-22.pdf",
    "12345678.txt",
    "facade.txt",
    "deadbeef.jpg",
    "sed-notes.txt",
    "sedAbCdEf.txt",
    "tmp.txt",
    "tmpnotes12.txt",
    "temp.docx",
    "Backup of Plan.docx",
    "Word Work File notes.docx",
    "MCF-2026 budget.xlsx",
    "4913.txt",
    ".txt",
    ".notes.txt",
    "~draft.docx",
    "#1 priorities.txt",
    "plan~1.docx",
    "plan.old.pdf",
    "plan.bak.docx",
    "report (1).docx",
    "report.docx.pdf",
    "evil.exe.docx",  # what it holds is judged by its content
    "f040baf0-5c30-45b4-8ab0-f697e42ba6d6.pdf",
    "REPORT.DOCX",
    "résumé.docx",
    "日本語.pdf",
    "ملف.txt",
    "🏖️.jpg",
    "a" * 251 + ".txt",
]


def _class(name: str, rules: Rules = DEFAULT) -> NameClass:
    return classify(Name(name), rules).name_class


@pytest.mark.parametrize(
    ("name_class", "name"),
    [(name_class, name) for name_class, names in SCRATCH.items() for name in names],
)
def test_a_name_of_a_saving_program_is_scratch(name_class: NameClass, name: str) -> None:
    """Each has its class, a client in its reason, and makes scratch."""
    verdict = classify(Name(name), DEFAULT)
    assert verdict.name_class is name_class
    assert verdict.name_class.kind is Kind.SCRATCH
    assert verdict.temporary
    assert " of " in verdict.reason


@pytest.mark.parametrize("name", FORBIDDEN)
def test_another_name_is_forbidden(name: str) -> None:
    """No suffix, prefix or sign brings a type onto the list."""
    assert _class(name) is NameClass.FORBIDDEN
    assert _class(name).kind is None


@pytest.mark.parametrize("name", DOCUMENTS)
def test_what_people_call_their_documents_is_a_file(name: str) -> None:
    """No document is taken for a temporary, nor put back after it was renamed so."""
    assert _class(name) is NameClass.FILE
    assert not hides(DavPath.of(name), DEFAULT)


@pytest.mark.parametrize(
    "name",
    ["con", "NUL.txt", "aux.docx", "com1.pdf", "lpt9", "a.txt.", "a.txt ", "a\\b.txt", "a\tb.txt"],
)
@pytest.mark.parametrize("rules", [DEFAULT, EVERYTHING], ids=str)
def test_a_name_that_no_client_can_open_is_invalid(name: str, rules: Rules) -> None:
    """Whatever the list says."""
    assert _class(name, rules) is NameClass.INVALID


@pytest.mark.parametrize(
    "name", [*itertools.chain(*SCRATCH.values()), *FORBIDDEN, *DOCUMENTS], ids=str
)
def test_every_name_is_a_file_where_everything_is_allowed(name: str) -> None:
    """Nothing may vanish because of its name."""
    assert _class(name, EVERYTHING) is NameClass.FILE


@pytest.mark.parametrize("name", [*itertools.chain(*SCRATCH.values())])
def test_a_temporary_is_known_where_everything_is_allowed(name: str) -> None:
    """It is kept, and a document that is saved through it stays the same resource."""
    if name not in (".a.txt1847363521",):  # no end of the type can be seen
        assert is_temporary(DavPath.of(name), EVERYTHING)


@pytest.mark.parametrize("name", ["plan.2.sqlite", "a.module.python", "v1.2.tar.gz", "my.notes"])
def test_an_ordinary_name_is_no_temporary_where_everything_is_allowed(name: str) -> None:
    """A type of six letters is no random suffix."""
    assert not is_temporary(DavPath.of(name), EVERYTHING)


@pytest.mark.parametrize("name", ["report.docx", "evil.exe", "report.docx.part", "report.tmp"])
def test_case_does_not_matter(name: str) -> None:
    """Upper and lower case are one name to the rules, as they are to Windows."""
    assert _class(name.upper()) is _class(name)


@pytest.mark.parametrize("name", ["Größe.docx", "é.pdf.part", "naïve.exe"])
def test_composition_does_not_matter(name: str) -> None:
    """A Mac's decomposed name is the same name."""
    assert _class(unicodedata.normalize("NFD", name)) is _class(name)


def test_a_list_of_its_own_decides() -> None:
    """Types on the list are files, and only their temporaries are temporaries."""
    rules = Rules.parse("kdbx, .GZ")
    assert _class("safe.KDBX", rules) is NameClass.FILE
    assert _class("backup.tar.gz", rules) is NameClass.FILE
    assert _class(".safe.kdbx.1588940477075", rules) is NameClass.DERIVED
    assert _class("report.docx", rules) is NameClass.FORBIDDEN
    assert _class("report.docx.part", rules) is NameClass.FORBIDDEN


def test_a_list_that_names_a_temporary_s_type_keeps_it() -> None:
    """Who allows .tmp and .bak wants to keep them; marks beside files stay marks."""
    rules = Rules.parse("tmp,bak,txt,jpg,ini")
    assert _class("34429E5E.tmp", rules) is NameClass.FILE
    assert is_temporary(DavPath.of("34429E5E.tmp"), rules)
    assert _class("a.txt.bak", rules) is NameClass.FILE
    assert _class("._photo.jpg", rules) is NameClass.LITTER
    assert _class("desktop.ini", rules) is NameClass.LITTER


def test_an_empty_list_allows_no_file() -> None:
    """Temporaries with names of their own stay temporaries."""
    assert _class("a.txt", NOTHING) is NameClass.FORBIDDEN
    assert _class("a.txt.part", NOTHING) is NameClass.FORBIDDEN
    assert _class("~WRD0001.tmp", NOTHING) is NameClass.SAVE


@pytest.mark.parametrize(
    ("path", "temporary"),
    [
        ("test.txt.sb-ac6800a0-t3YBFI/test.txt", True),
        ("(A Document Being Saved By TextEdit 2)/test.txt", True),
        (".TemporaryItems/folders.501/test.txt", True),
        ("20261122/test.txt", False),
        ("backup.tmp/test.txt", False),
        (".Trash-1000/files/test.txt", False),
        ("test.txt", False),
    ],
)
def test_a_folder_that_a_program_made_holds_temporaries(path: str, temporary: bool) -> None:
    """People name folders after dates, and put files into the trash by themselves."""
    assert is_temporary(DavPath.from_text(path), DEFAULT) == temporary
    assert hides(DavPath.from_text(path), DEFAULT) == temporary


def test_every_row_of_the_tables_names_a_client() -> None:
    """No pattern without somebody it is for."""
    assert all(row.client and row.glob for row in (*MARKS, *TEMPORARIES))


@pytest.mark.parametrize(
    "name",
    ["report.docx", "evil.exe", "~" * 255, ".txt" * 62 + "!", "a.docx" + "-a1b2c3d" * 30 + "!"],
    ids=["document", "forbidden", "tildes", "dots", "suffixes"],
)
@pytest.mark.parametrize("rules", [DEFAULT, EVERYTHING], ids=str)
def test_no_name_takes_long(name: str, rules: Rules) -> None:
    """A hostile name costs milliseconds at most; a name that is known costs nothing."""
    fastest = min(_seconds(name, rules) for _ in range(20))
    assert fastest < 0.02


def _seconds(name: str, rules: Rules) -> float:
    classify.cache_clear()
    start = time.perf_counter()
    classify(Name(name), rules)
    return time.perf_counter() - start
