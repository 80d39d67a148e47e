"""Windows Explorer, by the WebClient service that Windows has.

Out of the box it takes files up to 47 MiB only, lists no folder with more than
about a thousand files, and signs in over plain http never.
"""

from __future__ import annotations

from .drive import Drive, Kit

_WEBCLIENT = r"HKLM\SYSTEM\CurrentControlSet\Services\WebClient\Parameters"

_SCRIPT = """\
@echo off
rem Maps {url} as a drive. The limits of Windows are lifted once, which needs
rem an administrator; the drive itself is yours alone.
if "%~1"=="limits" goto limits

powershell -NoProfile -Command "Start-Process '%~f0' -ArgumentList limits -Verb RunAs -Wait"
cmdkey /add:"{target}" /user:"{email}" /pass:"{password}"
net use * "{url}" /persistent:yes
if errorlevel 1 (
  echo The drive could not be mapped. Is {host} reachable from here?
) else (
  echo The drive is in Explorer now, under This PC. You can delete this file.
)
pause
exit /b

:limits
reg add "{key}" /v FileSizeLimitInBytes /t REG_DWORD /d 4294967295 /f
reg add "{key}" /v FileAttributesLimitInBytes /t REG_DWORD /d 100000000 /f
{over_http}sc.exe config WebClient start= auto
net stop WebClient
net start WebClient
exit /b
"""

_OVER_HTTP = 'reg add "{key}" /v BasicAuthLevel /t REG_DWORD /d 2 /f\n'


def kit(drive: Drive) -> Kit:
    """Make a script for Explorer."""
    over_http = "" if drive.is_https else _OVER_HTTP.format(key=_WEBCLIENT)
    script = _SCRIPT.format(
        url=_quoted(drive.url),
        target=_quoted(drive.host),
        host=_quoted(drive.host),
        email=_quoted(drive.email),
        password=_quoted(drive.password),
        key=_WEBCLIENT,
        over_http=over_http,
    )
    return Kit(
        title="Windows",
        steps=(
            "Download the file and open it. Windows asks whether it may change settings: say yes.",
            "The drive appears in Explorer under This PC. Delete the file, it holds the password.",
            f"By hand: in Explorer, This PC, Map network drive, `{drive.url}`, then sign in with "
            f"`{drive.email}` and the password.",
        ),
        file_name="map-drive.cmd",
        media_type="application/octet-stream",
        content=script.replace("\n", "\r\n"),
    )


def _quoted(text: str) -> str:
    """Write *text* inside the double quotes of a batch file."""
    return text.replace('"', "").replace("%", "%%")
