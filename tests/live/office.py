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
from com.sun.star.beans import PropertyValue
from com.sun.star.connection import NoConnectException
from com.sun.star.lang import DisposedException

PATIENCE_SECONDS = 90


def main(verb: str, where: str, text: str, *account: str) -> None:
    """Start LibreOffice with a profile of its own, do one thing, end it."""
    with tempfile.TemporaryDirectory() as profile:
        pipe = "davhost" + uuid.uuid4().hex
        command = ["soffice", "--headless", "--norestore", "--nologo", "--nodefault"]
        command += [f"-env:UserInstallation={pathlib.Path(profile).as_uri()}"]
        command += [f"--accept=pipe,name={pipe};urp"]
        with subprocess.Popen(command, stdin=subprocess.DEVNULL) as process:
            context = connect(pipe, process)
            desktop = service(context, "com.sun.star.frame.Desktop")
            try:
                if verb == "make":
                    make(desktop, pathlib.Path(where), text)
                else:
                    edit(desktop, where, text, sign_in(context, where, *account))
            finally:
                with contextlib.suppress(DisposedException):
                    desktop.terminate()


def make(desktop: Any, file: pathlib.Path, text: str) -> None:
    """Write a new .docx."""
    document = desktop.loadComponentFromURL("private:factory/swriter", "_blank", 0, ())
    document.Text.setString(text)
    document.storeToURL(file.resolve().as_uri(), (option("FilterName", "MS Word 2007 XML"),))
    document.close(True)


def edit(desktop: Any, url: str, word: str, options: "list[PropertyValue]") -> None:
    """Open a document, append a word, and store it where it is."""
    document = desktop.loadComponentFromURL(url, "_blank", 0, tuple(options))
    assert document is not None, f"LibreOffice cannot open {url}"
    assert not document.isReadonly(), "LibreOffice opened it for reading only"
    document.Text.insertString(document.Text.getEnd(), word, False)
    document.store()
    document.close(True)


def sign_in(context: Any, url: str, *account: str) -> "list[PropertyValue]":
    """Store name and password, as a person does in the dialog that asks for them."""
    if not account:
        return []
    handler = service(context, "com.sun.star.task.InteractionHandler")
    user, password = account
    passwords = service(context, "com.sun.star.task.PasswordContainer")
    passwords.add(url, user, (password,), handler)
    # Without a handler of its own, opening a stream asks nobody.
    return [option("InteractionHandler", handler), option("AuthenticationHandler", handler)]


def connect(pipe: str, process: "subprocess.Popen[bytes]") -> Any:
    """Wait until LibreOffice answers."""
    local = uno.getComponentContext()
    resolver = service(local, "com.sun.star.bridge.UnoUrlResolver")
    give_up_at = time.monotonic() + PATIENCE_SECONDS
    while True:
        try:
            return resolver.resolve(f"uno:pipe,name={pipe};urp;StarOffice.ComponentContext")
        except NoConnectException:
            if process.poll() is not None or time.monotonic() > give_up_at:
                raise
            time.sleep(0.2)


def service(context: Any, name: str) -> Any:
    """Make one of LibreOffice's services."""
    return context.ServiceManager.createInstanceWithContext(name, context)


def option(name: str, content: Any) -> PropertyValue:
    """Spell one option of LibreOffice."""
    return PropertyValue(Name=name, Value=content)


if __name__ == "__main__":
    main(*sys.argv[1:])
