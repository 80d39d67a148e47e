"""lighttpd with mod_webdav."""

from benchmarks.programs import find, output_of
from benchmarks.servers.base import Server

_CONFIGURATION = """\
server.modules = ("mod_auth", "mod_authn_file", "mod_webdav")
server.bind = "127.0.0.1"
server.port = {port}
server.document-root = "{root}"
server.errorlog = "{home}/error.log"
server.upload-dirs = ("{home}")
server.max-keep-alive-requests = 65535
server.max-worker = 0
auth.backend = "plain"
auth.backend.plain.userfile = "{home}/passwords"
auth.require = ("" => ("method" => "basic", "realm" => "benchmark", "require" => "valid-user"))
webdav.activate = "enable"
webdav.is-readonly = "disable"
webdav.sqlite-db-name = "{home}/webdav.db"
"""


class Lighttpd(Server):
    """lighttpd as one process, with a plain password and its SQLite file of locks."""

    def version(self) -> str:
        """Name its version."""
        return output_of(find("lighttpd"), "-v").splitlines()[0]

    def command(self) -> list[str]:
        """Write the configuration; serve in the foreground."""
        line = f"{self.address.user}:{self.address.password}\n"
        (self.home / "passwords").write_text(line)
        path = self.home / "lighttpd.conf"
        path.write_text(
            _CONFIGURATION.format(port=self.address.port, root=self.root, home=self.home)
        )
        return [find("lighttpd"), "-D", "-f", str(path)]
