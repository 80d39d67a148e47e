"""What kits are made from, and what they are."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import quote, urlsplit


@dataclass(frozen=True, slots=True)
class Drive:
    """A drive and the password that a device has for it.

    Args:
        url: the address of the root, with a slash at the end.
    """

    url: str
    email: str
    password: str
    label: str

    @property
    def is_https(self) -> bool:
        """Whether the address begins with https."""
        return self.url.startswith("https:")

    @property
    def host(self) -> str:
        """The host name, without the port."""
        return urlsplit(self.url).hostname or ""

    @property
    def port(self) -> int:
        """The TCP port, said or not."""
        return urlsplit(self.url).port or (443 if self.is_https else 80)

    def with_scheme(self, plain: str, secure: str) -> str:
        """Write the address as some programs want it: another scheme, and who signs in."""
        parts = urlsplit(self.url)
        scheme = secure if self.is_https else plain
        return f"{scheme}://{quote(self.email, safe='')}@{parts.netloc}{parts.path}"


@dataclass(frozen=True, slots=True)
class Kit:
    """How one kind of device gets the drive.

    Args:
        steps: plain sentences, in order; what is between backquotes is typed.
        file_name: of the ready file; empty when there is none.
    """

    title: str
    steps: tuple[str, ...]
    file_name: str = ""
    media_type: str = "text/plain; charset=utf-8"
    content: str = ""
