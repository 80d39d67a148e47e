"""Classes of file names: what a name says about the file it is given to.

Programs save through names of their own: Word writes ``~WRD0001.tmp`` and
renames it, LibreOffice leaves ``.~lock.plan.docx#`` beside a document, `sed -i`
writes ``sedAbCdEf``. An allow-list that knows only extensions refuses those
half-way and empties people's documents. So `classify` puts every name into one
class; patterns come before extensions, because ``._photo.jpg`` is no photo and
``~$port.docx`` no document.

The order of the table is the order of the questions. Pure: no I/O.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache

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

_SANDBOX = r"\.sb-[0-9a-z]{4,}-[0-9a-z]{4,}"

#: Names that are temporaries whatever the allow-list says, each with its client.
PATTERNS: tuple[Pattern, ...] = (
    _pattern(NameClass.LITTER, "._*", "Finder: AppleDouble twin"),
    _pattern(NameClass.LITTER, ".DS_Store", "Finder"),
    _pattern(NameClass.LITTER, ".Spotlight-*", "macOS search index"),
    _pattern(NameClass.LITTER, ".Trashes", "Finder"),
    _pattern(NameClass.LITTER, ".Trash-*", "GNOME, KDE"),
    _pattern(NameClass.LITTER, ".fseventsd", "macOS"),
    _pattern(NameClass.LITTER, ".TemporaryItems", "macOS"),
    _pattern(NameClass.LITTER, ".apdisk", "macOS"),
    _pattern(NameClass.LITTER, ".metadata_never_index*", "macOS"),
    _pattern(NameClass.LITTER, ".ql_disablethumbnails", "macOS Quick Look"),
    _pattern(NameClass.LITTER, ".ql_disablecache", "macOS Quick Look"),
    _pattern(NameClass.LITTER, ".localized", "Finder"),
    _pattern(NameClass.LITTER, ".hidden", "Finder, GNOME"),
    _pattern(NameClass.LITTER, ".directory", "KDE Dolphin"),
    _pattern(NameClass.LITTER, "desktop.ini", "Windows Explorer"),
    _pattern(NameClass.LITTER, "Thumbs.db", "Windows Explorer"),
    _pattern(NameClass.LITTER, "ehthumbs*.db", "Windows Media Center"),
    _pattern(NameClass.OWNER_MARK, "~$*", "Microsoft Office: who has it open"),
    _pattern(NameClass.OWNER_MARK, ".~lock.*#", "LibreOffice: who has it open"),
    _pattern(NameClass.SWAP, ".*.sw?", "vim"),
    _pattern(NameClass.SWAP, "4913", "vim: may I write here?", r"4913|5036"),
    _pattern(NameClass.SWAP, "*~", "vim, emacs, gedit: backup"),
    _pattern(NameClass.SWAP, ".#*", "emacs: lock"),
    _pattern(NameClass.SWAP, "#*#", "emacs: autosave"),
    _pattern(NameClass.SAVE, "~WR?*.tmp", "Word"),
    _pattern(NameClass.SAVE, "*.tmp", "Excel, LibreOffice, Explorer, many"),
    _pattern(NameClass.SAVE, "12AB34EF", "Excel: 6 to 8 hex digits", r"[0-9a-f]{6,8}"),
    _pattern(NameClass.SAVE, "Word Work File *", "Word for Mac"),
    _pattern(NameClass.SAVE, "MCF-*", "Word for Mac"),
    _pattern(NameClass.SAVE, ".goutputstream-*", "GNOME: every GLib program"),
    _pattern(NameClass.SAVE, "sedAbCdEf", "sed -i", r"sed[0-9a-z]{6}"),
    _pattern(NameClass.SAVE, ".fuse_hidden*", "FUSE: deleted while open"),
    _pattern(NameClass.SAVE, ".nfs*", "NFS: deleted while open", r"\.nfs[0-9a-f]{8,}"),
    _pattern(NameClass.SAVE, "<uuid>", "Cocoa, Qt", _UUID),
)

#: What a program hangs on an allowed name while it saves, each with its client.
SUFFIXES: tuple[Pattern, ...] = tuple(
    _pattern(NameClass.DERIVED, glob, client, regex)
    for glob, client, regex in (
        (".part", "Firefox, KDE, rclone", r"\.part(ial)?\d*"),
        (".filepart", "WinSCP", r"\.filepart"),
        (".crdownload", "browsers", r"\.(cr)?download"),
        (".upload", "upload managers", r"\.upload(ing)?"),
        (".bak", "backups of many programs", r"[._~-](bak|backup|old|orig|original|save|sav)\d*"),
        (".tmp", "Node, KDE, many", r"[._~-]+(tmp|temp)[0-9a-z_-]*"),
        (".new", "safe writers", r"[._~-]+(new|lock|lck|wbk|asd|inprogress)"),
        ("_exiftool_tmp", "exiftool", r"_exiftool_tmp"),
        ("-<uuid>", "Cyberduck", r"[._-]" + _UUID),
        (".sb-…", "macOS: sandboxed save", _SANDBOX),
        (".AbCdEf", "mkstemp: rsync, KDE, Qt", r"[.~_-][0-9a-z]{6}"),
        (".1588940477075", "KeeWeb: milliseconds", r"[.~_-]\d{6,}"),
        (".0123456789abcdef", "random or hash", r"[.~_-](?=[a-z]*\d)[0-9a-z]{7,64}"),
        ("~RF12ab.TMP", "Word", r"~rf[0-9a-f]+"),
    )
)

#: Folders that programs make only to save one document in them. Stricter than
#: the patterns above: people name folders ``20261122``, and mean it.
FOLDERS: tuple[Pattern, ...] = (
    _pattern(
        NameClass.SAVE, "*.sb-*", "macOS: sandboxed save", r".*\.sb-[0-9a-z]{4,}-[0-9a-z]{4,}"
    ),
    _pattern(NameClass.SAVE, "(A Document Being Saved By *)", "macOS: Cocoa programs"),
    _pattern(NameClass.LITTER, ".TemporaryItems", "macOS"),
    _pattern(NameClass.LITTER, ".Trashes", "Finder"),
    _pattern(NameClass.LITTER, ".Trash-*", "GNOME, KDE"),
)

#: Stems that Windows keeps for devices: no Explorer can open such a file.
_DEVICES = re.compile(r"(con|prn|aux|nul|conin\$|conout\$|(com|lpt)[0-9¹²³])( *\..*)?", re.DOTALL)

#: Control characters, and those that XML 1.0 cannot carry in a listing.
_UNWRITABLE = re.compile("[\x00-\x1f\x7f-\x9f\\\\\ufffe\uffff]")

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
    pattern = _find(PATTERNS, folded)
    if rules.extensions is None:
        # Where everything is allowed, nothing may vanish because of its name.
        return Verdict(NameClass.FILE, "every name is allowed", temporary=pattern is not None)
    if pattern is not None:
        reason = f"{pattern.glob} is a temporary of {pattern.client}"
        return Verdict(pattern.name_class, reason, temporary=True)
    if name.extension and rules.allows(name.extension):
        return Verdict(NameClass.FILE, f".{name.extension} is on the allowed list")
    suffix = _derived_from(folded, rules)
    if suffix is not None:
        reason = f"an allowed name with {suffix.glob} of {suffix.client}"
        return Verdict(NameClass.DERIVED, reason, temporary=True)
    what = f"type .{name.extension} is" if name.extension else "names without a type are"
    return Verdict(NameClass.FORBIDDEN, f"File {what} not on the allowed list")


def is_temporary(path: DavPath, rules: Rules) -> bool:
    """Whether programs put a file at *path* only while they save."""
    return in_temporary_folder(path) or classify(path.name, rules).temporary


def in_temporary_folder(path: DavPath) -> bool:
    """Whether a folder above *path* is one that a program made to save in."""
    return any(_find(FOLDERS, name.casefold()) for name in path.names[:-1])


def check_collection(name: Name) -> str | None:
    """Say why a collection cannot have *name*; None if it can."""
    return _why_invalid(name, name.casefold())


def _why_invalid(name: Name, folded: str) -> str | None:
    if _UNWRITABLE.search(name):
        return "The name holds a control character or a backslash"
    if name[-1] in ". ":
        return "The name ends in a dot or a space"
    if _DEVICES.fullmatch(folded):
        return "Windows keeps this name for a device"
    return None


def _find(patterns: tuple[Pattern, ...], text: str) -> Pattern | None:
    return next((p for p in patterns if p.regex.fullmatch(text)), None)


def _derived_from(folded: str, rules: Rules) -> Pattern | None:
    """Find the suffix that makes *folded* a temporary of an allowed name."""
    stem = _PREFIX.sub("", folded)
    for dot in (index for index, c in enumerate(stem) if c == "." and index > 0):
        for extension in rules.extensions or ():
            end = dot + 1 + len(extension)
            if stem.startswith(extension, dot + 1) and end < len(stem):
                suffix = _find(SUFFIXES, stem[end:])
                if suffix is not None:
                    return suffix
    return None
