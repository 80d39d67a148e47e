"""The middleware that tells browsers from WebDAV programs.

Pages get what is below ``/-/`` and what a person navigates to with a browser;
everything else is WebDAV, also when a page's script asks. Programs never see
an HTML page or a redirect.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, cast

from wsgidav.mw.base_mw import BaseMiddleware

from .. import browsing
from ..accounts import SignedIn
from ..errors import Forbidden
from .exchange import ADDRESS, TARGET, StartResponse, Target
from .gate import Gate

#: What pages answer to below ``/-/``; to the rest WebDAV says that nothing is there.
_PAGE_METHODS = frozenset({"GET", "HEAD", "POST"})


class Browsers(BaseMiddleware):  # type: ignore[misc]
    """See the module.

    Args:
        pages: the WSGI application of the web pages.
    """

    def __init__(
        self,
        wsgidav_app: Any,
        next_app: Callable[..., Any],
        config: dict[str, Any],
        gate: Gate,
        pages: Callable[..., Iterable[bytes]],
    ) -> None:
        super().__init__(wsgidav_app, next_app, config)
        self._gate = gate
        self._pages = pages

    def __call__(self, environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
        """Hand the request to the pages or inwards.

        Raises:
            Forbidden: a page of another site sends a form.
        """
        target = cast(Target, environ[TARGET])
        signed_in = self._find_session(environ)
        environ[browsing.SESSION] = signed_in
        if self._is_for_pages(environ, target, signed_in):
            if environ["REQUEST_METHOD"] == "POST" and browsing.is_cross_site(environ):
                raise Forbidden("This request comes from a page of another site.")
            return self._pages(_page_environ(environ, target), start_response)
        answer: Iterable[bytes] = self.next_app(environ, start_response)
        return answer

    def _find_session(self, environ: dict[str, Any]) -> SignedIn | None:
        if "HTTP_AUTHORIZATION" in environ:
            return None
        token = browsing.session_token(environ)
        if not token:
            return None
        return self._gate.accounts.sessions.find(token, str(environ[ADDRESS]))

    def _is_for_pages(
        self, environ: dict[str, Any], target: Target, signed_in: SignedIn | None
    ) -> bool:
        if target.is_server:
            return False
        if target.path.names[:1] == (browsing.PAGES,):
            return environ["REQUEST_METHOD"] in _PAGE_METHODS
        if not browsing.is_navigation(environ):
            return False
        if signed_in is None:
            return True  # to sign in; what is there is nobody's business
        resource = self._gate.tree_of(signed_in.principal).find(target.path)
        return resource is None or resource.is_collection


def _page_environ(environ: dict[str, Any], target: Target) -> dict[str, Any]:
    """Write the path as PEP 3333 wants it, below the prefix at which it is mounted."""
    prefix = target.site.prefix.text if target.site.prefix.names else ""
    path = target.path.text
    if target.has_slash and not target.path.is_root:
        path += "/"
    return {
        **environ,
        browsing.PATH: target.path,
        "SCRIPT_NAME": prefix.encode().decode("latin-1"),
        "PATH_INFO": path.encode().decode("latin-1"),
    }
