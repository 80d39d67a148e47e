"""Mount kits are right for the languages that they are written in."""

import plistlib
import re
import shutil
import subprocess

import pytest

from davhost.kits import KITS, Drive
from davhost.kits.linux import secrets, unit
from davhost.kits.programs import obscure

HTTPS = Drive("https://drive.example.org/", "ada@example.org", "abcde-fghij", "Ada's laptop")
HTTP = Drive("http://nas.local:8080/", "o'brian+$(id)`%PATH%`@example.org", "abcde", "x\ny; z")


@pytest.mark.parametrize("drive", [HTTPS, HTTP], ids=["https", "http"])
@pytest.mark.parametrize("name", KITS)
def test_every_kit_says_where_and_who(name, drive):
    """Steps are whole sentences, and a file has a name."""
    kit = KITS[name](drive)
    assert len(kit.steps) >= 2
    assert all(step.count("`") % 2 == 0 for step in kit.steps) or "`" in drive.email
    assert bool(kit.file_name) == bool(kit.content)


@pytest.mark.parametrize("drive", [HTTPS, HTTP], ids=["https", "http"])
@pytest.mark.parametrize("name", ["macos", "gnome", "davfs2"])
def test_scripts_are_shell(name, drive):
    """They parse, and nothing in an address is run."""
    script = KITS[name](drive).content
    done = subprocess.run(["sh", "-n"], input=script, text=True, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr


def test_what_a_script_passes_on_is_what_it_was_given(tmp_path):
    """Marks of the shell in an address are only characters."""
    (tmp_path / "osascript").write_text('#!/bin/sh\ncat > /dev/null\nprintf "%s\\n" "$@"\n')
    (tmp_path / "open").write_text("#!/bin/sh\n")
    for program in ("osascript", "open"):
        (tmp_path / program).chmod(0o755)
    done = subprocess.run(
        ["/bin/sh"],
        input=KITS["macos"](HTTP).content,
        env={"PATH": f"{tmp_path}:/usr/bin:/bin"},
        text=True,
        capture_output=True,
        check=True,
    )
    assert done.stdout.splitlines() == ["-", HTTP.url, HTTP.email, HTTP.password]


def test_the_script_for_windows_lifts_every_limit():
    """Size of files, length of listings, and Basic over plain http only where it is needed."""
    plain, secure = KITS["windows"](HTTP).content, KITS["windows"](HTTPS).content
    for script in (plain, secure):
        assert "FileSizeLimitInBytes /t REG_DWORD /d 4294967295" in script
        assert "FileAttributesLimitInBytes" in script
        assert script.count("\n") == script.count("\r\n")
    assert "BasicAuthLevel /t REG_DWORD /d 2" in plain
    assert "BasicAuthLevel" not in secure
    assert "%%PATH%%" in plain
    assert 'net use * "https://drive.example.org/"' in secure


@pytest.mark.needs("rclone")
@pytest.mark.parametrize("password", ["abcde-fghij", "ü €", ""])
def test_a_password_is_obscured_as_rclone_does_it(password):
    """rclone reveals what was meant."""
    done = subprocess.run(
        ["rclone", "reveal", "--", obscure(password)], capture_output=True, text=True, check=True
    )
    assert done.stdout.removesuffix("\n") == password
    assert obscure(password) != obscure(password)


def test_the_bookmark_is_a_property_list():
    """Cyberduck reads protocol, host, port and who signs in; the password is not in it."""
    kit = KITS["cyberduck"](HTTPS)
    bookmark = plistlib.loads(kit.content.encode())
    assert (bookmark["Protocol"], bookmark["Hostname"]) == ("davs", "drive.example.org")
    assert (bookmark["Port"], bookmark["Username"]) == ("443", "ada@example.org")
    assert HTTPS.password not in kit.content


def test_the_section_of_rclone_has_a_name_that_rclone_takes():
    """Whatever the device is called."""
    for drive in (HTTP, HTTPS, Drive("https://a/", "a@b", "x", "]\n[évil")):
        first = KITS["rclone"](drive).content.splitlines()[0]
        assert re.fullmatch(r"\[[a-z0-9_-]+\]", first)


def test_marks_are_escaped_for_davfs2_and_systemd():
    """A quote ends no word, a percent sign begins no specifier."""
    drive = Drive("https://a/%20/", 'a"\\%i@b', "x", "x")
    assert secrets(drive, "/mnt/x") == '/mnt/x "a\\"\\\\%i@b" "x"\n'
    assert "What=https://a/%%20/" in unit(drive, "/mnt/x", uid="0", gid="0")


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="no systemd here")
def test_systemd_takes_the_unit(tmp_path):
    """The name of the file fits the place that it mounts."""
    file = tmp_path / "mnt-davhost.mount"
    file.write_text(unit(HTTPS, "/mnt/davhost", uid="1000", gid="1000"))
    done = subprocess.run(
        ["systemd-analyze", "verify", file], capture_output=True, text=True, check=False
    )
    assert "mnt-davhost.mount" not in done.stderr, done.stderr
