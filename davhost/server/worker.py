"""What a worker process does from its fork to its end."""

import ctypes
import logging
import os
import signal
import socket
import sys
import threading
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from types import FrameType
from typing import NoReturn

from davhost.server.http_server import HTTPServer, WSGIApplication
from davhost.server.options import ServerOptions

log = logging.getLogger("davhost.server")

#: Sent by the supervisor to a worker whose successor is ready.
RETIRE_SIGNAL = signal.SIGUSR1
#: A worker that is replaced may finish long downloads, but not keep on for ever.
RETIRE_SECONDS = 3600.0
#: Threads that are no daemons, as those that send mails, may go on so long after the last answer.
_LAST_WORK_SECONDS = 5.0
#: Exit status of a worker that could not make its application.
EXIT_NOT_STARTED = 3

_PR_SET_PDEATHSIG = 1  # prctl(2)
_M_ARENA_MAX, _M_MMAP_THRESHOLD = -8, -3  # mallopt(3)

#: A block of memory of so many bytes goes back to the system as soon as it is free.
_LARGE_BYTES = 524_288


@dataclass(frozen=True, slots=True)
class Birth:
    """What a worker is born with."""

    listener: socket.socket
    make_app: Callable[[], WSGIApplication]
    options: ServerOptions
    supervisor_pid: int
    #: Reads as ended when the supervisor is gone.
    lifeline_fd: int
    #: One byte is written here when the worker accepts.
    ready_fd: int


def work(birth: Birth, signal_mask: set[int]) -> NoReturn:
    """Serve until told to stop; never returns into the supervisor's code.

    Args:
        signal_mask: to be set once the supervisor's handlers are gone.
    """
    status = EXIT_NOT_STARTED
    try:
        _die_with_supervisor(birth)
        _give_memory_back()
        _reset_signals(signal_mask)
        status = _serve(birth)
    except SystemExit as error:
        # make_app says in plain words why it cannot start.
        if error.code is not None and not isinstance(error.code, int):
            sys.stderr.write(f"{error.code}\n")
    except BaseException:  # nothing may escape into the code that forked
        traceback.print_exc()
    finally:
        logging.shutdown()
        _flush()
        # Not sys.exit(): exit handlers belong to the supervisor's process.
        os._exit(status)


def _serve(birth: Birth) -> int:
    server = HTTPServer(birth.listener, birth.make_app(), birth.options)
    server.prepare()
    _obey_signals(server)
    os.write(birth.ready_fd, b".")
    os.close(birth.ready_fd)
    server.serve()
    _wait_for_last_work()
    return 0


def _wait_for_last_work() -> None:
    """Do what an interpreter that ends does, which `os._exit` does not; but not for ever."""
    end_at = time.monotonic() + _LAST_WORK_SECONDS
    for thread in threading.enumerate():
        if not thread.daemon and thread is not threading.current_thread():
            thread.join(max(0, end_at - time.monotonic()))


def _obey_signals(server: HTTPServer) -> None:
    def stop(_number: int, _frame: FrameType | None) -> None:
        if server.keeps_idle or not server.retiring:
            server.retire(server.options.grace_seconds)

    def make_way(_number: int, _frame: FrameType | None) -> None:
        if not server.retiring:
            server.retire(RETIRE_SECONDS, keeps_idle=True)

    # The kernel may give a signal to any thread; the pipe wakes this one.
    signal.set_wakeup_fd(server.wakeup_fd, warn_on_full_buffer=False)
    signal.signal(signal.SIGTERM, stop)
    signal.signal(RETIRE_SIGNAL, make_way)


def _reset_signals(signal_mask: set[int]) -> None:
    """Take back the supervisor's handlers; its terminal's signals are its own."""
    signal.set_wakeup_fd(-1)
    for number in (signal.SIGTERM, signal.SIGCHLD, RETIRE_SIGNAL):
        signal.signal(number, signal.SIG_DFL)
    for number in (signal.SIGINT, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    signal.pthread_sigmask(signal.SIG_SETMASK, signal_mask)


def _die_with_supervisor(birth: Birth) -> None:
    """End at once when the supervisor does, however it ends.

    Twice: the kernel's signal is immediate but Linux only; the pipe works
    everywhere, since no one but the supervisor holds its other end.
    """
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != birth.supervisor_pid:
        os._exit(1)
    watch = threading.Thread(target=_watch, args=(birth.lifeline_fd,), daemon=True)
    watch.start()


def _give_memory_back() -> None:
    """Let other threads use the memory that one has given back, and the system what was large.

    glibc keeps a heap for each of several threads, and in each of them whatever the
    largest listing needed. Elsewhere there are no such settings.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(_M_ARENA_MAX, 1)
        mallopt(_M_MMAP_THRESHOLD, _LARGE_BYTES)


def _watch(lifeline_fd: int) -> None:
    os.read(lifeline_fd, 1)
    os._exit(1)


def _flush() -> None:
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except (OSError, ValueError):
            continue
