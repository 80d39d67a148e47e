"""Plain WsgiDAV on cheroot, as `pip install wsgidav cheroot` gives it."""

import json

from benchmarks.programs import OTHERS, find, output_of
from benchmarks.servers.base import Server


class WsgiDav(Server):
    """WsgiDAV with its file provider and the simple domain controller (plain passwords)."""

    def version(self) -> str:
        """Name its version."""
        return output_of(find(OTHERS / "wsgidav"), "--version")

    def command(self) -> list[str]:
        """Serve with a configuration of our own."""
        configuration = {
            "host": "127.0.0.1",
            "port": self.address.port,
            "provider_mapping": {"/": str(self.root)},
            "simple_dc": {
                "user_mapping": {"*": {self.address.user: {"password": self.address.password}}}
            },
            "verbose": 1,
        }
        path = self.home / "wsgidav.json"
        path.write_text(json.dumps(configuration))
        return [find(OTHERS / "wsgidav"), "--config", str(path)]
