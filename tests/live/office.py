#!/usr/bin/python3
"""LibreOffice without a screen: opens a document, appends a word, stores it.

Not part of the tests' own Python: the system's has LibreOffice's bridge (uno).

    office.py make FILE.docx TEXT          write a new document
    office.py edit URL WORD [USER PASS]    open, append WORD, store in place, close
"""

import contextlib
import pathlib
import subprocess
import sys
import tempfile
import time
import uuid
from typing import Any

import uno
import unohelper
from com.sun.star.beans import PropertyValue
from com.sun.star.connection import NoConnectException
from com.sun.star.lang import DisposedException
from com.sun.star.task import XInteractionHandler

PATIENCE_SECONDS = 90


class Answers(unohelper.Base, XInteractionHandler):
    """Types name and password into the dialog that asks for them."""

    def __init__(self, user: str, password: str) -> None:
        self._user, self._password = user, password

    def handle(self, request: Any) -> None:
        """Answer one question of LibreOffice."""
        for continuation in request.getContinuations():
            if hasattr(continuation, "setPassword"):
                continuation.setUserName(self._user)
                continuation.setPassword(self._password)
                continuation.select()
                return
        print("asked:", request.getRequest(), file=sys.stderr)


def main(verb: str, where: str, text: str, *account: str) -> None:
    """Start LibreOffice with a profile of its own, do one thing, end it."""
    with tempfile.TemporaryDirectory() as profile, office(profile) as desktop:
        if verb == "make":
            document = desktop.loadComponentFromURL("private:factory/swriter", "_blank", 0, ())
            document.Text.setString(text)
            url = pathlib.Path(where).resolve().as_uri()
            document.storeToURL(url, (value("FilterName", "MS Word 2007 XML"),))
        else:
            options = [value("Hidden", True)]
            if account:
                options.append(value("InteractionHandler", Answers(*account)))
            document = desktop.loadComponentFromURL(where, "_blank", 0, tuple(options))
            assert document is not None, f"LibreOffice cannot open {where}"
            assert not document.isReadonly(), "LibreOffice opened it for reading only"
            document.Text.insertString(document.Text.getEnd(), text, False)
            document.store()
        document.close(True)


@contextlib.contextmanager
def office(profile: str) -> Any:
    """Run LibreOffice and give its desktop."""
    pipe = "davhost" + uuid.uuid4().hex
    command = ["soffice", "--headless", "--norestore", "--nologo", "--nodefault"]
    command += [f"-env:UserInstallation={pathlib.Path(profile).as_uri()}"]
    command += [f"--accept=pipe,name={pipe};urp"]
    with subprocess.Popen(command, stdin=subprocess.DEVNULL) as process:
        desktop = connect(pipe, process)
        try:
            yield desktop
        finally:
            with contextlib.suppress(DisposedException):
                desktop.terminate()


def connect(pipe: str, process: "subprocess.Popen[bytes]") -> Any:
    """Wait until LibreOffice answers."""
    local = uno.getComponentContext()
    resolver = local.ServiceManager.createInstanceWithContext(
        "com.sun.star.bridge.UnoUrlResolver", local
    )
    give_up_at = time.monotonic() + PATIENCE_SECONDS
    while True:
        try:
            there = resolver.resolve(f"uno:pipe,name={pipe};urp;StarOffice.ComponentContext")
            return there.ServiceManager.createInstanceWithContext(
                "com.sun.star.frame.Desktop", there
            )
        except NoConnectException:
            if process.poll() is not None or time.monotonic() > give_up_at:
                raise
            time.sleep(0.2)


def value(name: str, content: Any) -> PropertyValue:
    """Spell one option of LibreOffice."""
    return PropertyValue(Name=name, Value=content)


if __name__ == "__main__":
    main(*sys.argv[1:])
