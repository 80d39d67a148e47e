"""Which icon of ``icons.svg`` stands for a file; the page tells its scripts the table."""

from __future__ import annotations

from ..model import Resource

EXTENSIONS = {
    "image": "avif bmp gif heic ico jpeg jpg png svg tif tiff webp",
    "audio": "flac m4a mp3 ogg opus wav",
    "video": "avi mkv mov mp4 webm",
    "pdf": "pdf",
    "text": "cfg conf css csv htm html ics ini js json log md py rst rtf sh sql toml tsv txt vcf"
    " xml yaml yml",
    "word": "doc docm docx dotx odt",
    "sheet": "ods xls xlsm xlsx",
    "slides": "odp ppt pptx",
    "archive": "7z bz2 gz rar tar xz zip",
}

_TYPES = {
    extension: name for name, extensions in EXTENSIONS.items() for extension in extensions.split()
}


def type_of(resource: Resource) -> str:
    """Name the icon of a resource."""
    if resource.is_collection:
        return "folder"
    return _TYPES.get(resource.name.rpartition(".")[2].casefold(), "file")
