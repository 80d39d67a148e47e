"""Homes as WsgiDAV sees them: thin views, for its machinery and its plug-ins.

Requests are answered by the handlers of this package, which speak to the tree
directly; nothing here can change a resource.
"""

from __future__ import annotations

from typing import Any, BinaryIO, cast

from wsgidav.dav_error import HTTP_FORBIDDEN, DAVError
from wsgidav.dav_provider import DAVCollection, DAVNonCollection, DAVProvider

from ..model import Principal, Resource
from ..paths import DavPath
from ..tree import Tree
from . import media_types
from .exchange import PRINCIPAL
from .gate import Gate
from .kept_listings import KeptListings


class HomeProvider(DAVProvider):  # type: ignore[misc]
    """At ``/``: to each principal their own home."""

    def __init__(self, gate: Gate) -> None:
        super().__init__()
        self._gate = gate
        self.listings = KeptListings(gate.options.listings_max_bytes)

    def tree_of(self, environ: dict[str, Any]) -> Tree:
        """Open the home of the principal who signed in."""
        return self._gate.tree_of(cast(Principal, environ[PRINCIPAL]))

    def get_resource_inst(
        self, path: str, environ: dict[str, Any]
    ) -> HomeCollection | HomeFile | None:
        """Find the resource at an unquoted *path*; None if there is none."""
        place = DavPath.from_text(path)
        tree = self.tree_of(environ)
        resource = tree.find(place)
        if resource is None:
            return None
        if resource.is_collection:
            return HomeCollection(place, resource, tree, environ)
        return HomeFile(place, resource, tree, environ)


class HomeCollection(DAVCollection):  # type: ignore[misc]
    """A collection in a home."""

    def __init__(
        self, path: DavPath, resource: Resource, tree: Tree, environ: dict[str, Any]
    ) -> None:
        super().__init__(path.text, environ)
        self._dav_path = path
        self._resource = resource
        self._tree = tree

    def get_creation_date(self) -> float:
        """Seconds since 1970 UTC."""
        return self._resource.created_us / 1_000_000

    def get_last_modified(self) -> float:
        """Seconds since 1970 UTC."""
        return self._resource.modified_us / 1_000_000

    def get_used_bytes(self) -> int:
        """What the space holds."""
        return self._tree.space().used_bytes

    def get_available_bytes(self) -> int | None:
        """What the space may still take; None without a quota."""
        return self._tree.space().room_bytes

    def get_member_names(self) -> list[str]:
        """List the names of the members."""
        listing = self._tree.listing(self._dav_path, depth=1, dead=False, locks=False)
        return [entry.name for entry in listing.entries[1:]]


class HomeFile(DAVNonCollection):  # type: ignore[misc]
    """A file in a home."""

    def __init__(
        self, path: DavPath, resource: Resource, tree: Tree, environ: dict[str, Any]
    ) -> None:
        super().__init__(path.text, environ)
        self._dav_path = path
        self._resource = resource
        self._tree = tree

    def get_content_length(self) -> int:
        """The size in bytes."""
        return self._resource.size_bytes

    def get_content_type(self) -> str:
        """The media type it is served as."""
        return media_types.of(self._resource)

    def get_creation_date(self) -> float:
        """Seconds since 1970 UTC."""
        return self._resource.created_us / 1_000_000

    def get_last_modified(self) -> float:
        """Seconds since 1970 UTC."""
        return self._resource.modified_us / 1_000_000

    def get_etag(self) -> str:
        """The opaque part of the strong entity tag, as WsgiDAV wants it."""
        return self._resource.etag

    def support_etag(self) -> bool:
        """Answer yes."""
        return True

    def support_ranges(self) -> bool:
        """Answer yes."""
        return True

    def get_content(self) -> BinaryIO:
        """Open the content for reading; the caller closes it.

        Raises:
            DAVError: the file is empty, and so has nothing to open.
        """
        content = self._tree.open(self._dav_path).content
        if content is None:
            raise DAVError(HTTP_FORBIDDEN, "The file is empty.")
        return content
