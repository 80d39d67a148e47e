"""Sending mail, in its own time: nobody waits for a mail server, or learns from its pace."""

from __future__ import annotations

import logging
import smtplib
import ssl
import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from email.message import EmailMessage
from email.utils import formatdate, make_msgid
from typing import Literal

log = logging.getLogger("davhost.mail")

#: More than this many mails that wait are too many: somebody floods us.
_WAITING_MAX = 200

_TIMEOUT_SECONDS = 30


@dataclass(frozen=True, slots=True)
class MailOptions:
    """The mail server, and whom mails come from.

    Args:
        security: ``starttls`` begins in the clear and goes on encrypted, or
            not at all; ``tls`` is encrypted from the start.
        ca_file: certificates to trust instead of the system's.
    """

    host: str
    port: int
    sender: str
    security: Literal["starttls", "tls", "none"] = "starttls"
    user: str | None = None
    password: str | None = None
    ca_file: str | None = None


class Postman:
    """Sends mails one after the other, in a thread of its own.

    The thread ends when no mail is left, and is no daemon: so a process that ends
    waits for the mails that it has promised.
    """

    def __init__(self, options: MailOptions) -> None:
        self._options = options
        self._jobs: deque[Callable[[], None]] = deque()
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None

    def soon(self, job: Callable[[], None]) -> None:
        """Do *job* in the thread of the postman; it may send."""
        with self._lock:
            if len(self._jobs) >= _WAITING_MAX:
                log.warning("a mail was not sent: %s others wait", _WAITING_MAX)
                return
            self._jobs.append(job)
            if self._thread is None:
                thread = threading.Thread(target=self._work, name="mail", daemon=False)
                thread.start()
                self._thread = thread

    def send(self, to: str, subject: str, text: str) -> None:
        """Send a mail now, and wait for the mail server.

        Raises:
            OSError: it cannot be reached, or does not take the mail.
        """
        message = EmailMessage()
        message["From"] = self._options.sender
        message["To"] = to
        message["Subject"] = subject
        message["Date"] = formatdate(localtime=False)
        message["Message-ID"] = make_msgid(
            domain=self._options.sender.rpartition("@")[2].rstrip(">")
        )
        message["Auto-Submitted"] = "auto-generated"  # RFC 3834: nobody answers by machine
        message.set_content(text)
        with self._connect() as server:
            if self._options.user is not None:
                server.login(self._options.user, self._options.password or "")
            server.send_message(message)

    def _connect(self) -> smtplib.SMTP:
        options = self._options
        context = ssl.create_default_context(cafile=options.ca_file)
        if options.security == "tls":
            return smtplib.SMTP_SSL(
                options.host, options.port, timeout=_TIMEOUT_SECONDS, context=context
            )
        server = smtplib.SMTP(options.host, options.port, timeout=_TIMEOUT_SECONDS)
        if options.security == "starttls":
            try:
                server.starttls(context=context)
            except BaseException:
                server.close()
                raise
        return server

    def _work(self) -> None:
        while (job := self._next()) is not None:
            try:
                job()
            except Exception:
                log.exception("a mail was not sent")

    def _next(self) -> Callable[[], None] | None:
        with self._lock:
            if self._jobs:
                return self._jobs.popleft()
            self._thread = None
            return None
