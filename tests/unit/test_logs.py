"""Lines of the access log take a short way to where the log goes, and look no different."""

import io
import logging
import re
from collections.abc import Iterator

import pytest

from davhost.bootstrap import logs
from davhost.settings import Settings

LINE = '127.0.0.1 ann@example.org "GET /a.txt" 200 5 bytes 0.4 ms 0123456789abcdef "curl"'


@pytest.fixture(autouse=True)
def put_back() -> Iterator[None]:
    """Leave logging as it was."""
    root, davhost = logging.getLogger(), logging.getLogger("davhost")
    handlers, levels = root.handlers[:], (root.level, davhost.level)
    flags = logging.logThreads, logging.logProcesses, logging.logMultiprocessing, logging._srcfile
    yield
    root.handlers[:] = handlers
    root.setLevel(levels[0])
    davhost.setLevel(levels[1])
    logging.logThreads, logging.logProcesses, logging.logMultiprocessing, logging._srcfile = flags


@pytest.fixture
def written(monkeypatch: pytest.MonkeyPatch) -> io.StringIO:
    """What is written to standard error by the logging of ``davhost serve``."""
    stream = io.StringIO()
    monkeypatch.setattr("sys.stderr", stream)
    logs.set_up_logging(Settings())
    return stream


def test_a_line_is_that_of_a_record(written: io.StringIO) -> None:
    """The short way and logging write the same, but for the moment."""
    logs.access_log()(LINE)
    logging.getLogger(logs.ACCESS).info(LINE)
    short, long = written.getvalue().splitlines()
    stamp = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d{3}")
    assert stamp.match(short)
    assert stamp.sub("now", short) == stamp.sub("now", long)


def test_no_line_is_written_below_the_level(monkeypatch: pytest.MonkeyPatch) -> None:
    """`log_level: warning` means no lines about requests, on either way."""
    stream = io.StringIO()
    monkeypatch.setattr("sys.stderr", stream)
    logs.set_up_logging(Settings(log_level="warning"))
    logs.access_log()(LINE)
    assert stream.getvalue() == ""


def test_handlers_of_others_get_records(
    written: io.StringIO, caplog: pytest.LogCaptureFixture
) -> None:
    """Whoever embeds the application decides where its lines go."""
    caplog.set_level(logging.INFO)
    logging.getLogger().addHandler(caplog.handler)
    logs.access_log()(LINE)
    assert LINE in caplog.messages
    assert LINE in written.getvalue()


def test_a_log_that_cannot_be_written_fails_no_request(written: io.StringIO) -> None:
    """A full disk, a reader that went, a stream that is closed."""
    write = logs.access_log()
    written.close()
    write(LINE)
