"""Apache httpd with mod_dav and passwords of several costs."""

import base64
import hashlib
import os
from collections.abc import Callable
from pathlib import Path

from benchmarks.programs import find, output_of
from benchmarks.servers.base import Server

_MODULES = Path("/usr/lib/apache2/modules")
_LOADED = (
    "mpm_event", "authn_core", "authn_file", "authz_core", "authz_user", "auth_basic",
    "mime", "dav", "dav_fs",
)  # fmt: skip

_CONFIGURATION = """\
{modules}
ServerName 127.0.0.1
Listen 127.0.0.1:{port}
{user}
PidFile {home}/apache.pid
DefaultRuntimeDir {home}
ErrorLog {home}/error.log
TypesConfig /etc/mime.types
KeepAlive On
MaxKeepAliveRequests 0
DocumentRoot {root}
DavLockDB {home}/locks/lockdb
<Directory {root}>
    Dav On
    DavDepthInfinity On
    AuthType Basic
    AuthName benchmark
    AuthUserFile {home}/passwords
    Require valid-user
</Directory>
"""


def bcrypt(cost: int) -> Callable[[str], str]:
    """Hash passwords with bcrypt of that cost, as htpasswd does."""

    def hash_password(password: str) -> str:
        line = output_of(find("htpasswd"), "-nbB", "-C", str(cost), "x", password)
        return line.partition(":")[2]

    return hash_password


def sha1(password: str) -> str:
    """Hash a password once with SHA-1, which costs nothing and protects nobody."""
    digest = hashlib.sha1(password.encode()).digest()  # noqa: S324 cheap on purpose
    return "{SHA}" + base64.b64encode(digest).decode()


class Apache(Server):
    """httpd with the event MPM and a configuration of only what WebDAV needs."""

    def __init__(self, home: Path, stock: Path, *, hash_password: Callable[[str], str]) -> None:
        super().__init__(home, stock)
        self._hash_password = hash_password

    def version(self) -> str:
        """Name its version."""
        return output_of(find("apache2"), "-v").splitlines()[0].partition(": ")[2]

    def command(self) -> list[str]:
        """Write the configuration; serve in the foreground."""
        line = f"{self.address.user}:{self._hash_password(self.address.password)}\n"
        (self.home / "passwords").write_text(line)
        (self.home / "locks").mkdir(exist_ok=True)
        # httpd refuses to serve as root, so its processes need rights of their own.
        root = os.geteuid() == 0
        if root:
            for path in (self.home / "locks", self.root, *self.root.rglob("*/")):
                path.chmod(0o777)
        path = self.home / "apache.conf"
        path.write_text(
            _CONFIGURATION.format(
                modules="\n".join(f"LoadModule {m}_module {_MODULES}/mod_{m}.so" for m in _LOADED),
                port=self.address.port,
                user="User www-data\nGroup www-data" if root else "",
                home=self.home,
                root=self.root,
            )
        )
        return [find("apache2"), "-d", str(self.home), "-f", str(path), "-D", "FOREGROUND"]
