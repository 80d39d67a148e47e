"""What a file is served as: by its extension, from a table that no system changes.

A browser never runs a file that somebody stored (promise: it is downloaded or
sandboxed), so everything that is not known to be inert comes as an attachment.
"""

from __future__ import annotations

from ..model import Resource

_OPEN_XML = "application/vnd.openxmlformats-officedocument"
_OPEN_DOCUMENT = "application/vnd.oasis.opendocument"

TYPES = {
    "7z": "application/x-7z-compressed",
    "avi": "video/x-msvideo",
    "avif": "image/avif",
    "bmp": "image/bmp",
    "csv": "text/csv",
    "css": "text/css",
    "doc": "application/msword",
    "docm": "application/vnd.ms-word.document.macroEnabled.12",
    "docx": f"{_OPEN_XML}.wordprocessingml.document",
    "dotx": f"{_OPEN_XML}.wordprocessingml.template",
    "epub": "application/epub+zip",
    "flac": "audio/flac",
    "gif": "image/gif",
    "gz": "application/gzip",
    "heic": "image/heic",
    "htm": "text/html",
    "html": "text/html",
    "ico": "image/vnd.microsoft.icon",
    "ics": "text/calendar",
    "jpeg": "image/jpeg",
    "jpg": "image/jpeg",
    "js": "text/javascript",
    "json": "application/json",
    "m4a": "audio/mp4",
    "md": "text/markdown",
    "mkv": "video/x-matroska",
    "mov": "video/quicktime",
    "mp3": "audio/mpeg",
    "mp4": "video/mp4",
    "odg": f"{_OPEN_DOCUMENT}.graphics",
    "odp": f"{_OPEN_DOCUMENT}.presentation",
    "ods": f"{_OPEN_DOCUMENT}.spreadsheet",
    "odt": f"{_OPEN_DOCUMENT}.text",
    "ogg": "audio/ogg",
    "pdf": "application/pdf",
    "png": "image/png",
    "ppt": "application/vnd.ms-powerpoint",
    "pptx": f"{_OPEN_XML}.presentationml.presentation",
    "rtf": "application/rtf",
    "svg": "image/svg+xml",
    "tar": "application/x-tar",
    "tif": "image/tiff",
    "tiff": "image/tiff",
    "txt": "text/plain",
    "vcf": "text/vcard",
    "wav": "audio/wav",
    "webm": "video/webm",
    "webp": "image/webp",
    "xhtml": "application/xhtml+xml",
    "xls": "application/vnd.ms-excel",
    "xlsm": "application/vnd.ms-excel.sheet.macroEnabled.12",
    "xlsx": f"{_OPEN_XML}.spreadsheetml.sheet",
    "xml": "application/xml",
    "zip": "application/zip",
}

#: What a browser may show in its window. PDF is not among them: with the
#: sandbox that every answer carries, Chromium's viewer stays blank.
_SHOWN = frozenset(
    {
        "audio/flac",
        "audio/mp4",
        "audio/mpeg",
        "audio/ogg",
        "audio/wav",
        "image/avif",
        "image/bmp",
        "image/gif",
        "image/jpeg",
        "image/png",
        "image/webp",
        "text/plain",
        "video/mp4",
        "video/webm",
    }
)


def of(resource: Resource) -> str:
    """Find the media type: by the extension, else as declared on PUT."""
    return of_named(resource.name, resource.content_type)


def of_named(name: str, declared: str | None) -> str:
    """Find the media type of a file by its *name*, else as *declared* on PUT."""
    _, dot, extension = name.rpartition(".")
    found = TYPES.get(extension) or TYPES.get(extension.casefold()) if dot else None
    return found or declared or "application/octet-stream"


def is_shown(media_type: str) -> bool:
    """Whether a browser may show the file instead of saving it."""
    return media_type.partition(";")[0].strip().lower() in _SHOWN
