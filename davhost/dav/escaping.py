"""Text as XML, header values and log lines can carry it."""

from __future__ import annotations

import re

#: What XML 1.0 cannot carry at all, escaped or not (its section 2.2).
_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
#: What an element cannot hold as it is; most names have none of it.
_MARKED = re.compile("[^\t\n\x20-%'-;=?-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_TEXT = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;", "\r": "&#13;"})
_ATTRIBUTE = str.maketrans(
    {"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;"} | {c: f"&#{ord(c)};" for c in "\t\n\r"}
)
_LOG = re.compile(r"[^ !#-\[\]-~]")
_PHRASE = re.compile(r"[^ -~]")


def text(value: str) -> str:
    """Escape the text of an element; what XML cannot carry becomes U+FFFD."""
    if _MARKED.search(value) is None:
        return value
    return _NOT_XML.sub("\ufffd", value).translate(_TEXT)


def attribute(value: str) -> str:
    """Escape the value of an attribute in double quotes."""
    return _NOT_XML.sub("\ufffd", value).translate(_ATTRIBUTE)


def is_plain(value: str, limit: int) -> bool:
    """Whether `log_value` leaves *value* as it is."""
    return len(value) <= limit and _LOG.search(value) is None


def log_value(value: str, limit: int = 2048) -> str:
    """Make *value* safe in one line of a log, whatever a client put into it."""
    if is_plain(value, limit):
        return value
    shown = value if len(value) <= limit else value[:limit] + "..."
    return _LOG.sub(lambda match: match[0].encode("unicode_escape").decode(), shown).replace(
        '"', '\\"'
    )


def phrase(value: str, otherwise: str) -> str:
    """Make a reason phrase of one ASCII line, or take *otherwise*."""
    cleaned = _PHRASE.sub("?", value)[:120].strip()
    return cleaned or otherwise
