"""copyparty on a directory."""

from benchmarks.programs import OTHERS, find, output_of
from benchmarks.servers.base import Server


class Copyparty(Server):
    """copyparty as it comes, with one account that may do everything there is."""

    def version(self) -> str:
        """Name its version."""
        return output_of(find(OTHERS / "copyparty"), "--version").splitlines()[0]

    def command(self) -> list[str]:
        """Serve; --daw lets WebDAV clients overwrite what they write again."""
        return [
            find(OTHERS / "copyparty"), "-q", "--daw", "-i", "127.0.0.1",
            "-p", str(self.address.port),
            "-a", f"ada:{self.address.password}", "-v", f"{self.root}::rwmdA,ada",
            "--hist", str(self.home / "hist"),
        ]  # fmt: skip
