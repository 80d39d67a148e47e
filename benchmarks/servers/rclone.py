"""rclone serve webdav on a directory."""

from benchmarks.programs import find, output_of
from benchmarks.servers.base import Server


class Rclone(Server):
    """rclone as it comes, with one password on its command line."""

    def version(self) -> str:
        """Name its version."""
        return output_of(find("rclone"), "version").splitlines()[0]

    def command(self) -> list[str]:
        """Serve."""
        return [
            find("rclone"), "serve", "webdav", str(self.root),
            "--addr", f"127.0.0.1:{self.address.port}",
            "--user", self.address.user, "--pass", self.address.password,
            "--config", str(self.home / "rclone.conf"),
        ]  # fmt: skip
