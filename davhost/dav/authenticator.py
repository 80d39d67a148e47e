"""Basic authentication, strictly: who does not sign in properly gets 401, never 500.

Pages of this server come with the session of their browser instead. The cookie
alone only reads files: everything else must prove that a page of the session
made the request, which no other site can.

Digest is not offered: what a server must keep for it is as good as the
password, and over TLS no client needs it.
"""

from __future__ import annotations

import binascii
import re
from collections.abc import Callable, Iterable
from typing import Any

from wsgidav.dc.base_dc import BaseDomainController
from wsgidav.http_authenticator import HTTPAuthenticator

from .. import browsing
from ..accounts import SignedIn
from ..errors import NotSignedIn
from ..model import Principal
from .exchange import ADDRESS, PRINCIPAL, TARGET, StartResponse
from .gate import Gate

_BASIC = re.compile(r"basic[ \t]+([A-Za-z0-9+/]+={0,2})[ \t]*", re.IGNORECASE)
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_PASSWORD_BYTES_MAX = 4096

#: What a session's cookie alone may ask for.
_READS = frozenset({"GET", "HEAD", "OPTIONS"})


class AccountsController(BaseDomainController):  # type: ignore[misc]
    """WsgiDAV's domain controller: asks the accounts."""

    def __init__(self, wsgidav_app: Any, config: dict[str, Any], gate: Gate) -> None:
        super().__init__(wsgidav_app, config)
        self._gate = gate

    def get_domain_realm(self, path_info: str, environ: dict[str, Any] | None) -> str:  # noqa: ARG002
        """Return the one realm there is."""
        return self._gate.options.realm

    def require_authentication(self, realm: str, environ: dict[str, Any] | None) -> bool:  # noqa: ARG002
        """Require it of everybody, for every method."""
        return True

    def basic_auth_user(
        self,
        realm: str,  # noqa: ARG002
        user_name: str,
        password: str,
        environ: dict[str, Any],
    ) -> bool:
        """Check a password, and leave the principal in *environ*.

        Raises:
            NotSignedIn: the account or the password is wrong.
            TooManyTries: too many wrong ones came from this address.
        """
        principal: Principal = self._gate.accounts.authenticate(
            user_name, password, environ[ADDRESS]
        )
        environ[PRINCIPAL] = principal
        return True

    def supports_http_digest_auth(self) -> bool:
        """Answer no: see the module."""
        return False


class BasicAuthenticator(HTTPAuthenticator):  # type: ignore[misc]
    """WsgiDAV's authenticator with a strict reader of the header."""

    def __init__(
        self, wsgidav_app: Any, next_app: Callable[..., Any], config: dict[str, Any], gate: Gate
    ) -> None:
        super().__init__(wsgidav_app, next_app, config)
        self._gate = gate

    def __call__(self, environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
        """Let those in who sign in.

        Raises:
            NotSignedIn: no credentials, malformed or wrong ones.
            TooManyTries: too many wrong ones came from this address.
        """
        realm = self._gate.options.realm
        signed_in = environ.get(browsing.SESSION)
        if isinstance(signed_in, SignedIn):
            _check_page(environ, signed_in)
            environ[PRINCIPAL] = signed_in.principal
        else:
            email, password = _credentials(environ)
            controller = self.get_domain_controller()
            if not controller.basic_auth_user(realm, email, password, environ):
                raise NotSignedIn("The account or the password is wrong.")
        principal: Principal = environ[PRINCIPAL]
        environ[TARGET] = environ[TARGET].scoped(principal.root)
        environ["wsgidav.auth.realm"] = realm
        environ["wsgidav.auth.user_name"] = principal.email
        answer: Iterable[bytes] = self.next_app(environ, start_response)
        return answer


def _credentials(environ: dict[str, Any]) -> tuple[str, str]:
    """Read the Authorization header, unless it is that of the request before.

    Raises:
        NotSignedIn: as `credentials`.
    """
    value = str(environ.get("HTTP_AUTHORIZATION") or "")
    of_connection = environ.get(browsing.CONNECTION)
    if of_connection is None:
        return credentials(value)
    known, read = of_connection.get("credentials", (None, None))
    if read is None or known != value:
        read = credentials(value)
        of_connection["credentials"] = value, read
    found: tuple[str, str] = read
    return found


def _check_page(environ: dict[str, Any], signed_in: SignedIn) -> None:
    """Let a cookie alone read, and pages of its session do everything.

    Raises:
        NotSignedIn: nothing proves that a page of the session made the request.
    """
    if environ["REQUEST_METHOD"] in _READS and not browsing.csrf_token(environ):
        return
    proven = signed_in.proves(browsing.csrf_token(environ))
    if not proven or browsing.is_cross_site(environ):
        raise NotSignedIn("This page is out of date, or of another site. Load it again.")


def credentials(value: str) -> tuple[str, str]:
    """Read an Authorization header (RFC 7617).

    Clients are told to send UTF-8; some that are older than that send latin-1,
    and a password with an umlaut should work from them too.

    Returns:
        The account and the password.

    Raises:
        NotSignedIn: it is missing, of another scheme, or malformed.
    """
    if not value:
        raise NotSignedIn("Sign in with your e-mail address and your password.")
    match = _BASIC.fullmatch(value.strip())
    if match is None or len(match[1]) > _PASSWORD_BYTES_MAX:
        raise NotSignedIn("The Authorization header is not that of Basic authentication.")
    try:
        octets = binascii.a2b_base64(match[1], strict_mode=True)
    except ValueError:
        raise NotSignedIn("The credentials are not valid base64.") from None
    try:
        text = octets.decode()
    except UnicodeDecodeError:
        text = octets.decode("latin-1")
    email, colon, password = text.partition(":")
    if not colon or _CONTROL.search(text) is not None:
        raise NotSignedIn("The credentials are not an account and a password.")
    return email, password
