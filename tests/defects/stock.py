"""The stock packages as a program: ``python -m tests.defects.stock OPTIONS``.

OPTIONS is a JSON object. WsgiDAV as its documentation sets it up, on cheroot
as it comes; only the I/O timeout is shorter, so that tests need not wait long.
It says on which port when it listens.
"""

import json
import logging
import shutil
import signal
import sys
import threading
from pathlib import Path
from typing import Any

from cheroot.ssl.builtin import BuiltinSSLAdapter
from cheroot.wsgi import Server
from wsgidav.fs_dav_provider import FileResource, FilesystemProvider
from wsgidav.wsgidav_app import WsgiDAVApp

#: Folders that are shares of their own.
SHARES = ("/Docs", "/shared", "/native")


class NativeFile(FileResource):
    """A file that is copied by its provider, as databases and S3 do."""

    def handle_copy(self, dest_path: str, *, depth_infinity: bool) -> bool:
        """Copy it; True means that it is done."""
        shutil.copy(self._file_path, self.provider._loc_to_file_path(dest_path, self.environ))
        return True


class NativeProvider(FilesystemProvider):
    """A folder of such files."""

    def get_resource_inst(self, path: str, environ: dict[str, Any]) -> Any:
        """Find a resource."""
        found = super().get_resource_inst(path, environ)
        if type(found) is FileResource:
            return NativeFile(path, environ, found._file_path)
        return found


def make_app(root: Path, accounts: dict[str, str]) -> WsgiDAVApp:
    """Set WsgiDAV up on folders below *root*."""
    folders = {share: root.parent / f"share{number}" for number, share in enumerate(SHARES)}
    for folder in (root, *folders.values()):
        folder.mkdir(exist_ok=True)
    mapping: dict[str, Any] = {s: FilesystemProvider(str(f)) for s, f in folders.items()}
    mapping["/native"] = NativeProvider(str(folders["/native"]))
    mapping["/"] = FilesystemProvider(str(root))
    users = {email: {"password": password} for email, password in accounts.items()}
    app = WsgiDAVApp(
        {
            "provider_mapping": mapping,
            "simple_dc": {"user_mapping": {"*": users}},
            "http_authenticator": {"trusted_auth_header": "HTTP_X_REMOTE_USER"},
            "property_manager": True,
            "lock_storage": True,
            "honor_mtime_header": True,
            # 3 is its default; with it, a share with a capital ends the program.
            "verbose": 1,
            "logging": {"enable": True},
        }
    )
    app.verbose = 3
    logging.getLogger("wsgidav").setLevel(logging.INFO)
    return app


def hello(environ: dict[str, Any], start_response: Any) -> list[bytes]:
    """Answer with a header value that has a line end in it."""
    start_response("200 OK", [("X-Name", "a\r\nSet-Cookie: b"), ("Content-Length", "0")])
    return []


def main() -> None:
    """Serve until SIGTERM, and stop as WsgiDAV's own command does."""
    options = json.loads(sys.argv[1])
    logging.basicConfig(level=logging.INFO, stream=sys.stderr)
    app: Any = hello
    if "root" in options:
        app = make_app(Path(options["root"]), options["accounts"])
    server = Server(("127.0.0.1", options.get("port", 0)), app, timeout=options.get("timeout", 10))
    if "certificate" in options:
        server.ssl_adapter = BuiltinSSLAdapter(*options["certificate"])
    server.prepare()
    signal.signal(signal.SIGTERM, lambda *_: threading.Thread(target=server.stop).start())
    print(f"\nlistening on port {server.bind_addr[1]}", flush=True)
    server.serve()


if __name__ == "__main__":
    main()
