"""The files in config/ and wsgidav.yaml, as they are, with only names and paths replaced."""

import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import requests

from tests.live.dav import Account, Dav
from tests.live.programs import assert_listens, free_port
from tests.live.server import DAVHOST, Server, clean_environment
from tests.live.wait import eventually
from tests.needs import program

ROOT = Path(__file__).parents[2]
NAME = "drive.example.org"


def replaced(text: str, *replacements: tuple[str, str]) -> str:
    """Replace patterns, each of which must be there: the example may have moved on."""
    for pattern, new in replacements:
        text, count = re.subn(pattern, new, text)
        assert count, f"the example no longer has {pattern}"
    return text


# nginx


@dataclass(frozen=True)
class Site:
    """nginx with the example's configuration, in front of a server."""

    server: Server
    home: Path
    port: int
    authority: Path

    @property
    def url(self) -> str:
        """The address as clients of the proxy type it."""
        return f"https://localhost:{self.port}/"

    def session(self, name: str) -> requests.Session:
        """Make an account and sign in through the proxy."""
        account = self.server.add_user(name)
        session = requests.Session()
        session.trust_env = False
        session.auth = (account.email.encode(), account.password.encode())
        session.verify = str(self.authority)
        return session

    def dav(self, account: Account) -> Dav:
        """Look at the server through the proxy with the eyes of *account*."""
        return Dav("localhost", self.port, account, authority=self.authority)


def nginx_configuration(
    folder: Path, certificate: Path, upstream: int, http: int, https: int
) -> str:
    """Wrap the example as Debian's nginx.conf includes it, on unprivileged ports."""
    example = replaced(
        (ROOT / "config/nginx.conf").read_text(),
        (r"server 127\.0\.0\.1:8080;", f"server 127.0.0.1:{upstream};"),
        (r"listen 80;", f"listen 127.0.0.1:{http};"),
        (r"listen 443 ssl;", f"listen 127.0.0.1:{https} ssl;"),
        (r"listen \[::\]:\d+( ssl)?;", ""),
        (re.escape(NAME) + ";", "localhost;"),
        (r"/etc/letsencrypt/\S+fullchain\.pem", str(certificate)),
        (r"/etc/letsencrypt/\S+privkey\.pem", str(certificate)),
    )
    temporary = "".join(
        f"{kind}_temp_path {folder}/{kind};\n"
        for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    return (
        f"pid {folder}/nginx.pid;\nerror_log stderr;\ndaemon off;\nworker_processes 1;\n"
        f"events {{}}\nhttp {{\naccess_log off;\n{temporary}{example}\n}}\n"
    )


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A server that trusts the proxy, and the proxy."""
    home = tmp_path_factory.mktemp("proxied")
    home.chmod(0o755)
    settings = {"DAVHOST_TRUSTED_PROXIES": "127.0.0.1", "DAVHOST_PUBLIC_URL": f"https://{NAME}/"}
    with Server(home / "data", home, settings=settings) as server:
        http, https = free_port(), free_port()
        # Beside the server's own data, where it would be found and used behind the proxy too.
        proxy = Server(home / "proxy", home)
        proxy.administer("tls", "init", "--name", "localhost")
        certificate = proxy.data / "tls/server.pem"
        file = home / "nginx.conf"
        file.write_text(nginx_configuration(home, certificate, server.port, http, https))
        nginx = [program("nginx"), "-p", str(home), "-c", str(file)]
        checked = subprocess.run([*nginx, "-t"], capture_output=True, text=True, check=False)
        assert checked.returncode == 0, checked.stderr
        assert "[warn]" not in checked.stderr.replace('"user" directive', "")
        with (home / "nginx.log").open("w") as log:
            process = subprocess.Popen(nginx, stderr=log)
        try:
            eventually(lambda: assert_listens(https))
            yield Site(server, home, https, certificate.with_name("ca.pem"))
        finally:
            process.send_signal(signal.SIGQUIT)
            process.wait(30)


@pytest.mark.needs("nginx")
def test_a_drive_behind_nginx_works_over_tls(site):
    """Uploads of any kind arrive, renames match whatever the proxy changed, readers get it all."""
    session = site.session("ada")
    content = bytes(range(256)) * 40_000

    def pieces() -> Iterator[bytes]:
        for start in range(0, len(content), 100_000):
            yield content[start : start + 100_000]

    assert session.put(site.url + "a.bin", data=content).status_code == 201
    assert session.put(site.url + "b.bin", data=pieces()).status_code == 201
    moved = session.request(
        "MOVE",
        site.url + "b.bin",
        headers={"Destination": site.url + "%C3%A9%3B%3F%2523.bin", "Overwrite": "F"},
    )
    assert moved.status_code == 201
    assert session.get(site.url + "%C3%A9%3B%3F%2523.bin").content == content
    assert session.get(site.url + "b.bin").status_code == 404


@pytest.mark.needs("nginx")
def test_another_servers_destination_is_refused_behind_nginx(site):
    """A proxy does not make every address ours."""
    session = site.session("eve")
    assert session.put(site.url + "a.txt", data=b"a").status_code == 201
    headers = {"Destination": "https://elsewhere.example/b.txt"}
    assert session.request("MOVE", site.url + "a.txt", headers=headers).status_code == 502


@pytest.mark.needs("nginx")
def test_the_log_names_the_client_and_not_the_proxy(site):
    """An invented X-Forwarded-For does not get through nginx."""
    session = site.session("log")
    session.get(site.url, headers={"X-Forwarded-For": "192.0.2.66"})
    assert "192.0.2.66" not in site.server.output


@pytest.mark.needs("nginx")
def test_plain_http_is_sent_to_https(site):
    """Nobody sends a password in the clear twice."""
    text = (site.home / "nginx.conf").read_text()
    ports = re.findall(r"listen 127\.0\.0\.1:(\d+);", text)
    answer = requests.get(f"http://localhost:{ports[0]}/x", allow_redirects=False, timeout=10)
    assert answer.status_code == 301
    assert answer.headers["Location"] == "https://localhost/x"


# PostgreSQL, systemd, and WsgiDAV's own server


def test_the_postgresql_example_serves(make_server, postgres_url):
    """With only the addresses of the database and the data replaced, by the environment."""
    settings = {"DAVHOST_CONFIG": str(ROOT / "config/postgresql.yaml")}
    with make_server(database_url=postgres_url, settings=settings) as server:
        assert f"https://{NAME}/" in server.output
        assert server.new_user("ada").put("/a.txt", b"a").status == 201
        assert not list(server.data.glob("*.sqlite"))


@pytest.mark.needs("systemd-analyze")
def test_systemd_takes_the_unit(tmp_path):
    """Nothing in it is misspelt, and little is left open."""
    unit = tmp_path / "davhost.service"
    text = (ROOT / "config/davhost.service").read_text()
    unit.write_text(replaced(text, (r"ExecStart=\S+", f"ExecStart={sys.executable}")))
    verify = [program("systemd-analyze"), "verify", "--man=no", str(unit)]
    done = subprocess.run(verify, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout + done.stderr) == (0, "")


def test_plain_wsgidav_boots_the_same_drive(tmp_path):
    """`wsgidav --config wsgidav.yaml` is davhost on WsgiDAV's own server."""
    (tmp_path / "wsgidav.yaml").write_text((ROOT / "wsgidav.yaml").read_text())
    port = free_port()
    # What runs in the background of a shell has put SIGINT aside, and so has what it starts.
    command = ["env", "--default-signal=INT", str(DAVHOST.with_name("wsgidav"))]
    command += ["--config", "wsgidav.yaml", "--port", str(port)]
    with (tmp_path / "log").open("w") as log:
        process = subprocess.Popen(
            command, cwd=tmp_path, env=clean_environment(tmp_path), stdout=log, stderr=log
        )
    try:
        eventually(lambda: assert_listens(port))
        said = (tmp_path / "log").read_text()
        admin = re.search(r"first administrator (\S+), password (\S+)", said)
        assert admin, said
        session = requests.Session()
        session.trust_env = False
        session.auth = (admin[1], admin[2])
        url = f"http://127.0.0.1:{port}/a.txt"
        assert session.put(url, data=b"content").status_code == 201
        assert session.get(url).content == b"content"
        assert session.put(url.replace("txt", "exe"), data=b"no").status_code == 403
        assert requests.get(url, timeout=10).status_code == 401
        assert (tmp_path / "data/davhost.sqlite").is_file()
    finally:
        process.send_signal(signal.SIGINT)
        try:
            process.wait(30)
        finally:
            process.kill()
