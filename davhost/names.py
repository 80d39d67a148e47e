"""Classes of file names: what a name says about the file it is given to.

Programs save through names of their own: Word writes ``~WRD0001.tmp`` and
renames it, LibreOffice leaves ``.~lock.plan.docx#`` beside a document, `sed -i`
writes ``sedAbCdEf``. An allow-list that knows only extensions refuses those
half-way and empties people's documents. So `classify` puts every name into one
class. Marks come before extensions, because ``._photo.jpg`` is no photo and
``~$port.docx`` no document; all else comes after, because ``20261122.pdf`` and
``MCF-report.docx`` are what people call their own.

The order of the tables is the order of the questions. Pure: no I/O.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache

from . import browsing
from .model import Kind, Rules
from .paths import DavPath, Name


class NameClass(StrEnum):
    """The answer of `classify`."""

    INVALID = "invalid"
    LITTER = "litter"
    OWNER_MARK = "owner mark"
    SWAP = "swap"
    SAVE = "save"
    FILE = "file"
    DERIVED = "derived"
    FORBIDDEN = "forbidden"

    @property
    def kind(self) -> Kind | None:
        """The kind of resource such a name makes; None when it makes none."""
        if self in (NameClass.INVALID, NameClass.FORBIDDEN):
            return None
        return Kind.FILE if self is NameClass.FILE else Kind.SCRATCH


@dataclass(frozen=True, slots=True)
class Pattern:
    """Names that one family of clients makes.

    Args:
        glob: shown to people; ``?`` stands for one character, ``*`` for any.
        regex: the same, matched against the whole case-folded name.
        client: who makes such names.
    """

    name_class: NameClass
    glob: str
    regex: re.Pattern[str]
    client: str


def _pattern(name_class: NameClass, glob: str, client: str, regex: str | None = None) -> Pattern:
    if regex is None:
        regex = "".join({"*": ".*", "?": "."}.get(c, re.escape(c)) for c in glob.casefold())
    return Pattern(name_class, glob, re.compile(regex, re.DOTALL), client)


_UUID = r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"

_SANDBOX = r"sb-[0-9a-z]{4,}-[0-9a-z]{4,}"

#: Names that mark something beside a file, though they may end as the file does.
MARKS: tuple[Pattern, ...] = (
    _pattern(NameClass.LITTER, "._*", "Finder: AppleDouble twin"),
    _pattern(NameClass.LITTER, ".DS_Store", "Finder"),
    _pattern(NameClass.LITTER, ".Spotlight-*", "macOS search index"),
    _pattern(NameClass.LITTER, ".Trashes", "Finder"),
    _pattern(NameClass.LITTER, ".Trash-*", "GNOME, KDE"),
    _pattern(NameClass.LITTER, ".fseventsd", "macOS"),
    _pattern(NameClass.LITTER, ".TemporaryItems", "macOS"),
    _pattern(NameClass.LITTER, ".apdisk", "macOS"),
    _pattern(NameClass.LITTER, ".com.apple.*", "macOS"),
    _pattern(NameClass.LITTER, ".metadata_never_index*", "macOS"),
    _pattern(NameClass.LITTER, ".ql_disablethumbnails", "macOS Quick Look"),
    _pattern(NameClass.LITTER, ".ql_disablecache", "macOS Quick Look"),
    _pattern(NameClass.LITTER, ".VolumeIcon.icns", "Finder"),
    _pattern(NameClass.LITTER, ".localized", "Finder"),
    _pattern(NameClass.LITTER, ".hidden", "Finder, GNOME"),
    _pattern(NameClass.LITTER, ".directory", "KDE Dolphin"),
    _pattern(NameClass.LITTER, "desktop.ini", "Windows Explorer"),
    _pattern(NameClass.LITTER, "Thumbs.db", "Windows Explorer"),
    _pattern(NameClass.LITTER, "ehthumbs*.db", "Windows Media Center"),
    _pattern(NameClass.OWNER_MARK, "~$*", "Microsoft Office: who has it open"),
    _pattern(NameClass.OWNER_MARK, ".~lock.*#", "LibreOffice: who has it open"),
    _pattern(NameClass.SWAP, ".#*", "emacs: lock"),
)

#: At the top of every space: the collection that shows what the space was.
HISTORY = Name(".davhost")

#: Names that programs write while they save, unless they end in an allowed type.
TEMPORARIES: tuple[Pattern, ...] = (
    _pattern(NameClass.SWAP, ".*.sw?", "vim, nano", r"\.(.*\.)?sw."),
    _pattern(NameClass.SWAP, "4913", "vim: may I write here?", r"4913|5036"),
    _pattern(NameClass.SWAP, "*~", "vim, emacs, gedit: backup"),
    _pattern(NameClass.SWAP, "#*#", "emacs: autosave"),
    _pattern(NameClass.SAVE, "~WR?*.tmp", "Word"),
    _pattern(NameClass.SAVE, "*.tmp", "Excel, LibreOffice, Explorer, many"),
    _pattern(NameClass.SAVE, "12AB34EF", "Excel: 6 to 8 hex digits", r"[0-9a-f]{6,8}"),
    _pattern(NameClass.SAVE, "*.wbk", "Word, Excel: backup", r".*\.(wbk|xlk)"),
    _pattern(NameClass.SAVE, "*.asd", "Word, Excel: recovery", r".*\.(asd|xar)"),
    _pattern(NameClass.SAVE, "Word Work File *", "Word for Mac"),
    _pattern(NameClass.SAVE, "MCF-*", "Word for Mac"),
    _pattern(NameClass.SAVE, ".goutputstream-*", "GNOME: every GLib program"),
    _pattern(NameClass.SAVE, "sedAbCdEf", "sed -i", r"sed[0-9a-z]{6}"),
    _pattern(NameClass.SAVE, "XXAbCdEf", "perl -i", r"xx[0-9a-z]{6}"),
    _pattern(NameClass.SAVE, "d2utmpAbCdEf", "dos2unix", r"d2utmp[0-9a-z]{6}"),
    _pattern(NameClass.SAVE, "tmpAbCdEf", "Python, Rust, mktemp", r"\.?tmp[._-]?[0-9a-z_]{6,16}"),
    _pattern(NameClass.SAVE, ".fuse_hidden*", "FUSE: deleted while open"),
    _pattern(NameClass.SAVE, ".nfs*", "NFS: deleted while open", r"\.nfs[0-9a-f]{8,}"),
    _pattern(NameClass.SAVE, "<uuid>", "Cocoa, Qt", _UUID),
)


def _suffix(glob: str, client: str, regex: str, separator: str = r"[._~-]+") -> Pattern:
    """Make a row of `SUFFIXES`; it ends where letters and digits end."""
    return _pattern(NameClass.DERIVED, glob, client, f"{separator}(?:{regex})(?![0-9a-z])")


_RANDOM = _suffix(".AbCdEf", "mkstemp: rsync, KDE, Qt", r"[0-9a-z]{6}")

#: What a program hangs on an allowed name while it saves, each with its client;
#: several may follow each other, as rclone's ``plan.pdf.1a2b3c4d.partial``.
SUFFIXES: tuple[Pattern, ...] = (
    _suffix(".part", "Firefox, KDE, rclone, Nextcloud", r"part(ial)?\d*"),
    _suffix(".filepart", "WinSCP", r"filepart"),
    _suffix(".crdownload", "browsers", r"(cr|op)?download|crswap"),
    _suffix(".upload", "upload managers", r"upload(ing)?"),
    _suffix(".bak", "backups of many programs", r"(bak|backup|old|orig|original|save|sav)\d*"),
    _suffix(".tmp", "Node, KDE, many", r"(tmp|temp)(\d*|[0-9a-z]{6})"),
    _suffix(".new", "safe writers", r"new|lock|lck|inprogress"),
    _suffix(".swp", "nano, Kate", r"(kate-)?sw[a-z]"),
    _suffix("_exiftool_tmp", "exiftool", r"exiftool_tmp"),
    _suffix(".ocTransferId12", "Nextcloud, ownCloud", r"octransferid\d+"),
    _suffix("-<uuid>", "Cyberduck", _UUID),
    _suffix(".sb-…", "macOS: sandboxed save", _SANDBOX),
    _suffix("~RF12ab", "Word", r"rf[0-9a-f]+"),
    _RANDOM,
    _suffix(".1588940477075", "KeeWeb: milliseconds", r"\d{6,}"),
    _suffix(".0123456789abcdef", "random or hash", r"(?=[a-z]*\d)[0-9a-z]{7,64}"),
    _suffix("123456789", "Go", r"\d{6,}", separator=""),
)

#: Folders that programs make only to save one document in them. Stricter than
#: the patterns above: people name folders ``20261122``, and mean it. Not among
#: them: ``.Trash-1000``, where files are that people themselves put away.
FOLDERS: tuple[Pattern, ...] = (
    _pattern(NameClass.SAVE, "*.sb-*", "macOS: sandboxed save", r".*\." + _SANDBOX),
    _pattern(NameClass.SAVE, "(A Document Being Saved By *)", "macOS: Cocoa programs"),
    _pattern(NameClass.LITTER, ".TemporaryItems", "macOS"),
)


def _finder(patterns: tuple[Pattern, ...]) -> Callable[[str], Pattern | None]:
    """Make what finds the first of *patterns* that a case-folded name fits."""
    any_of_them = re.compile("|".join(f"(?:{p.regex.pattern})" for p in patterns), re.DOTALL)

    def find(name: str) -> Pattern | None:
        if not any_of_them.fullmatch(name):
            return None  # as nearly always
        return next(pattern for pattern in patterns if pattern.regex.fullmatch(name))

    return find


_find_mark = _finder(MARKS)
_find_temporary = _finder(TEMPORARIES)
_find_folder = _finder(FOLDERS)

#: Stems that Windows keeps for devices: no Explorer can open such a file.
_DEVICES = re.compile(r"(con|prn|aux|nul|conin\$|conout\$|(com|lpt)[0-9¹²³])( *\..*)?", re.DOTALL)

#: Control characters, and those that XML 1.0 cannot carry in a listing.
_UNWRITABLE = re.compile("[\x00-\x1f\x7f-\x9f\\\\\ufffe\uffff]")

#: What may be a file type in the middle of a name.
_EXTENSION = re.compile(r"\.[0-9a-z]{1,8}(?![0-9a-z])")

#: Names that the top of a home cannot have: the server's own URLs begin with them.
RESERVED = {
    browsing.PAGES: "The name - is kept for the pages of the server",
}

#: The mark that rsync and others put before a name while they write it.
_PREFIX = re.compile(r"^[.~_#]+")


@dataclass(frozen=True, slots=True)
class Verdict:
    """What `classify` found.

    Args:
        reason: the rule in words, for refusals and for `davhost policy explain`.
        temporary: the name is one that programs use while they save, also
            where everything is allowed and the file is kept.
    """

    name_class: NameClass
    reason: str
    temporary: bool = False


@lru_cache(maxsize=4096)
def classify(name: Name, rules: Rules) -> Verdict:
    """Put the base name of a file into its class.

    Args:
        name: the last segment, already NFC.
        rules: the allow-list of the space.
    """
    folded = name.casefold()
    why_invalid = _why_invalid(name, folded)
    if why_invalid:
        return Verdict(NameClass.INVALID, why_invalid)
    mark, temporary = _find_mark(folded), _find_temporary(folded)
    if rules.extensions is None:
        # Where everything is allowed, nothing may vanish because of its name.
        saving = bool(mark or temporary) or _is_derived(name, folded)
        return Verdict(NameClass.FILE, "every name is allowed", temporary=saving)
    if mark is None and name.extension and rules.allows(name.extension):
        reason = f".{name.extension} is on the allowed list"
        return Verdict(NameClass.FILE, reason, temporary=temporary is not None)
    pattern = mark or temporary
    if pattern is not None:
        reason = f"{pattern.glob} is a temporary of {pattern.client}"
        return Verdict(pattern.name_class, reason, temporary=True)
    suffix = _derived_from(folded, rules)
    if suffix is not None:
        reason = f"an allowed name with {suffix.glob} of {suffix.client}"
        return Verdict(NameClass.DERIVED, reason, temporary=True)
    what = f"type .{name.extension} is" if name.extension else "names without a type are"
    return Verdict(NameClass.FORBIDDEN, f"File {what} not on the allowed list")


def is_temporary(path: DavPath, rules: Rules) -> bool:
    """Whether programs put a file at *path* only while they save."""
    return in_temporary_folder(path) or classify(path.name, rules).temporary


def is_for_programs(name: str, kind: str) -> bool:
    """Whether a program left a resource for itself, so that pages need not show it to people.

    Where everything is allowed, a file may well be called ``20261122``: there only
    marks count, which nobody gives by hand.

    Args:
        kind: a `Kind`, or the same as plain text.
    """
    if kind == Kind.COLLECTION:
        return is_temporary_folder(Name.known(name))
    return kind == Kind.SCRATCH or _is_mark(Name.known(name))


@lru_cache(maxsize=4096)
def _is_mark(name: Name) -> bool:
    return _find_mark(name.casefold()) is not None


def hides(path: DavPath, rules: Rules) -> bool:
    """Whether a file that is renamed to *path* is only put aside by a program."""
    if rules.extensions is None:
        return is_temporary(path, rules)
    verdict = classify(path.name, rules)
    return in_temporary_folder(path) or verdict.name_class.kind is Kind.SCRATCH


def in_temporary_folder(path: DavPath) -> bool:
    """Whether a folder above *path* is one that a program made to save in."""
    return any(is_temporary_folder(name) for name in path.names[:-1])


@lru_cache(maxsize=4096)
def is_temporary_folder(name: Name) -> bool:
    """Whether programs make a folder of this name only to save in it."""
    return _find_folder(name.casefold()) is not None


def check_collection(name: Name) -> str | None:
    """Say why a collection cannot have *name*; None if it can."""
    return _why_invalid(name, name.casefold())


def check_place(path: DavPath) -> str | None:
    """Say why nothing can be at *path*, whatever it is; None if something can."""
    return RESERVED.get(path.names[0]) if len(path.names) == 1 else None


def _why_invalid(name: Name, folded: str) -> str | None:
    if _UNWRITABLE.search(name):
        return "The name holds a control character or a backslash"
    if name[-1] in ". ":
        return "The name ends in a dot or a space"
    if _DEVICES.fullmatch(folded):
        return "Windows keeps this name for a device"
    return None


def _derived_from(folded: str, rules: Rules) -> Pattern | None:
    """Find the suffix that makes *folded* a temporary of an allowed name."""
    stem = _PREFIX.sub("", folded)
    for dot in (index for index, c in enumerate(stem) if c == "." and index > 0):
        for extension in rules.extensions or ():
            if stem.startswith(extension, dot + 1):
                suffix = _suffixes(stem, dot + 1 + len(extension))
                if suffix is not None:
                    return suffix
    return None


def _is_derived(name: Name, folded: str) -> bool:
    """Whether a suffix makes *name* a temporary, whatever type it is a temporary of."""
    stem = _PREFIX.sub("", folded)
    ends = (match.end() for match in _EXTENSION.finditer(stem) if match.start() > 0)
    suffix = next(filter(None, (_suffixes(stem, end) for end in ends)), None)
    # Six small letters may be a type that we do not know: plan.2.sqlite.
    return suffix is not None and (suffix is not _RANDOM or name[-6:] != folded[-6:])


def _suffixes(text: str, start: int) -> Pattern | None:
    """Find the last suffix of *text*, if from *start* on there is nothing but suffixes."""
    found = None
    while start < len(text):
        matches = ((pattern, pattern.regex.match(text, start)) for pattern in SUFFIXES)
        found, end = next(((p, match.end()) for p, match in matches if match), (None, 0))
        if found is None:
            return None
        start = end
    return found
