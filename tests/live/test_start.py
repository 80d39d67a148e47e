"""Starting and stopping: what a person sees who runs `davhost serve`."""

import asyncio
import os
import re
import signal
import socket
import sqlite3
from contextlib import closing
from http.cookiejar import CookieJar
from pathlib import Path
from typing import Any
from urllib.parse import urlencode
from urllib.request import HTTPCookieProcessor, Request, build_opener

import pytest

from tests.live.server import Server
from tests.live.wait import eventually
from tests.web.browser import NAVIGATION, hidden_fields
from tests.web.mailbox import Mailbox, serving


@pytest.fixture
def fresh(make_server) -> Server:
    """A server on a data folder that does not exist yet."""
    server: Server = make_server()
    return server


def said(server: Server, *arguments: str, status: int) -> str:
    """Run `davhost serve`, which must end at once; give back the line that says why."""
    done = server.run("serve", *arguments)
    assert done.returncode == status, done.stdout + done.stderr
    lines = done.stderr.splitlines()
    assert len(lines) == 1, done.stderr
    assert lines[0].startswith("davhost: ")
    return lines[0]


def test_the_first_start_says_everything_and_the_second_only_where(fresh):
    """A password that works, printed once, and how each system mounts this very address."""
    with fresh:
        password = re.search(r"password  (\S+)\n", fresh.output)
        assert password
        assert f"davhost is ready at {fresh.url}\n" in fresh.output
        for line in (f"net use * {fresh.url} ", f"dav://admin%40localhost@127.0.0.1:{fresh.port}/"):
            assert line in fresh.output
        for system in ("Windows", "macOS", "GNOME", "davfs2", "rclone", "Cyberduck"):
            assert system in fresh.output
        listed = fresh.administer("user", "list")
        assert "admin@localhost" in listed
    before = len(fresh.output)
    with fresh:
        again = [line for line in fresh.output[before:].splitlines() if "INFO" not in line]
        assert again == [f"davhost is ready at {fresh.url}"]


class SlowMailbox(Mailbox):
    """A mail server with a queue of its own."""

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        """Take a mail, in its own time."""
        await asyncio.sleep(0.5)
        return await super().handle_DATA(server, session, envelope)


def test_a_server_that_ends_sends_the_mail_that_a_page_has_promised(make_server):
    """Who forgot a password while the server was restarted does not wait for a mail in vain."""
    mailbox = SlowMailbox()
    with serving(mailbox) as port:
        settings = {"HOST": "127.0.0.1", "PORT": str(port), "SECURITY": "none"}
        environment = {f"DAVHOST_SMTP_{name}": value for name, value in settings.items()}
        environment["DAVHOST_MAIL_FROM"] = "drive@example.org"
        environment["DAVHOST_PUBLIC_URL"] = "http://127.0.0.1/"
        with make_server(settings=environment) as server:
            ask_for_a_new_password(server, server.add_user().email)
        assert len(mailbox.mails) == 1


def ask_for_a_new_password(server: Server, email: str) -> None:
    """Fill in the form for it."""
    url = f"{server.url}-/forgot"
    browser = build_opener(HTTPCookieProcessor(CookieJar()))
    with browser.open(Request(url, headers=NAVIGATION)) as page:
        fields = hidden_fields(page.read().decode(), "/-/forgot") | {"email": email}
    sent = NAVIGATION | {"Origin": server.url.rstrip("/"), "Sec-Fetch-Site": "same-origin"}
    with browser.open(Request(url, urlencode(fields).encode(), sent)) as answer:
        assert answer.status == 200


def test_an_instance_is_its_data_folder(fresh, tmp_path):
    """Served from any folder, nothing is left outside of it."""
    before = {path for path in Path(fresh.home).iterdir() if path != fresh.log}
    with fresh:
        fresh.new_user("ada").put("/a.txt", b"a")
    after = {path for path in Path(fresh.home).iterdir() if path != fresh.log}
    assert after - before == {fresh.data}


def test_nobody_else_can_read_the_data(fresh):
    """Also where the folder was there before, open to all, as in a clone."""
    fresh.data.mkdir(mode=0o755)
    with fresh:
        fresh.new_user("ada").put("/a.txt", b"a")
        for made in fresh.data.iterdir():
            assert made.stat().st_mode & 0o077 == 0, made


def test_a_taken_port_is_one_line(fresh):
    """And the other server goes on."""
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        fresh.administer("user", "add", "a@b.c", "--password-stdin", stdin="long enough")
        line = said(fresh, "--port", str(port), status=1)
    assert str(port) in line
    assert "--port" in line


@pytest.mark.parametrize(
    ("settings", "wanted"),
    [
        ({"DAVHOST_QOUTA_DEFAULT": "1"}, "DAVHOST_QUOTA_DEFAULT"),
        ({"DAVHOST_WORKERS": "none at all"}, "DAVHOST_WORKERS"),
        ({"DAVHOST_TLS_CERTIFICATE": "/etc/hostname"}, "/etc/hostname"),
        ({"DAVHOST_TLS_CERTIFICATE": "/nowhere/cert.pem"}, "/nowhere/cert.pem"),
        ({"DAVHOST_CONFIG": "/nowhere/wsgidav.yaml"}, "/nowhere/wsgidav.yaml"),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else "",
)
def test_a_bad_setting_is_one_line_and_makes_nothing(make_server, settings, wanted):
    """Before any folder, database or account is made."""
    server = make_server(settings=settings)
    assert wanted in said(server, "--port", "0", status=2)
    assert not server.data.exists()


def test_a_data_folder_that_cannot_be_is_one_line(fresh):
    """Here a file is in the way."""
    fresh.data.write_text("")
    assert str(fresh.data) in said(fresh, "--port", "0", status=1)


def test_an_old_schema_is_refused_with_the_command_that_upgrades(fresh):
    """Nothing is changed in silence: whoever runs the server makes a backup first."""
    fresh.administer("db", "upgrade")
    with closing(sqlite3.connect(fresh.data / "davhost.sqlite")) as database:
        database.execute("UPDATE alembic_version SET version_num = '0000'")
        database.commit()
    assert "`davhost db upgrade`" in said(fresh, "--port", "0", status=1)


def test_sighup_takes_up_new_settings(make_server, tmp_path):
    """Workers are replaced one by one; a broken file is refused and the old settings hold."""
    file = tmp_path / "wsgidav.yaml"
    file.write_text("davhost: {allow: txt}\n")
    server = make_server(workers=1, settings={"DAVHOST_CONFIG": str(file)})
    with server:
        ada = server.new_user("ada", allow=None)
        assert ada.request("PUT", "/a.pdf", b"pdf").status == 403

        file.write_text("davhost: {allow: 'txt,pdf', nonsense: 1}\n")
        os.kill(server.pid, signal.SIGHUP)
        eventually(lambda: assert_logged(server, "davhost.nonsense"))
        assert ada.request("PUT", "/a.pdf", b"pdf").status == 403

        file.write_text("davhost: {allow: 'txt,pdf'}\n")
        os.kill(server.pid, signal.SIGHUP)
        eventually(lambda: assert_status(ada.request("PUT", "/a.pdf", b"%PDF-1.7").status, 201))


def assert_logged(server: Server, text: str) -> None:
    """Fail until *text* is in the log."""
    assert text in server.output


def assert_status(status: int, wanted: int) -> None:
    """Fail until the status is the one that is wanted."""
    assert status == wanted
