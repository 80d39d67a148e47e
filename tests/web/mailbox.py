"""A real mail server that keeps what it is given, and davhost told about it."""

from __future__ import annotations

import asyncio
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any

from aiosmtpd.smtp import SMTP


class Mailbox:
    """What came in."""

    def __init__(self) -> None:
        self._came = threading.Condition()
        self.mails: list[EmailMessage] = []
        self.logins: list[str] = []

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:
        """Take a mail."""
        mail = message_from_bytes(envelope.content, policy=policy.default)
        assert isinstance(mail, EmailMessage)
        with self._came:
            self.mails.append(mail)
            self._came.notify_all()
        return "250 OK"

    def wait(self, count: int) -> EmailMessage:
        """Wait for mail number *count*."""
        with self._came:
            assert self._came.wait_for(lambda: len(self.mails) >= count, timeout=60)
            return self.mails[count - 1]


def link_in(mail: EmailMessage) -> str:
    """Find the link to a page in a mail, without the server's name."""
    found = re.search(r"https://drive\.example\.org(/-/\S+)", mail.get_content())
    assert found, mail.get_content()
    return found[1]


@contextmanager
def serving(mailbox: Mailbox, **options: Any) -> Iterator[int]:
    """Run the server on a free port; yield it."""
    loop = asyncio.new_event_loop()
    connections: list[SMTP] = []

    def connect() -> SMTP:
        connections.append(SMTP(mailbox, loop=loop, **options))
        return connections[-1]

    server = loop.run_until_complete(loop.create_server(connect, "127.0.0.1", 0))
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        settle()  # a connection that is cut while it is taken would be forgotten, not closed
        asyncio.run_coroutine_threadsafe(_end(server, connections), loop).result()
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


def settle() -> None:
    """Wait for the mails that this process is sending."""
    for thread in threading.enumerate():
        if thread.name == "mail":
            thread.join(60)


async def _end(server: asyncio.Server, connections: list[SMTP]) -> None:
    server.close()
    for connection in connections:
        if connection.transport is not None:
            connection.transport.abort()
    while others := asyncio.all_tasks() - {asyncio.current_task()}:
        await asyncio.wait(others)
