"""A program for supervision tests: ``python -m tests.server.supervised OPTIONS``.

OPTIONS is a JSON object of server options. Lines of standard output tell the
test what happens; the application answers what the tests ask of it.
"""

import gc
import json
import os
import signal
import sys
import threading
import time
from pathlib import Path
from typing import Any

from davhost.server import IncompleteBody, ServerOptions, run

Environ = dict[str, Any]

#: Made before any fork, so that a worker that writes to them takes 20 MiB.
BALLAST: list[list[int]] = []


def say(line: str) -> None:
    """Write a line at once; one write, so that processes do not mix theirs."""
    os.write(1, f"{line}\n".encode())


def make_app() -> Any:
    """Return the application, or fail as the test asks for."""
    flag = os.environ.get("FAIL_FLAG")
    if flag and Path(flag).exists():
        raise SystemExit(Path(flag).read_text())
    if os.environ.get("CRASH"):
        raise RuntimeError("the database is on fire")
    say(f"made {os.getpid()}")
    return application


def application(environ: Environ, start_response: Any) -> list[bytes]:
    """Do what the path says."""
    action = globals()["do_" + environ["PATH_INFO"].strip("/")]
    body: list[bytes] = action(environ, start_response)
    return body


def do_pid(environ: Environ, start_response: Any) -> list[bytes]:
    """Answer with the worker's process id."""
    start_response("200 OK", [])
    return [b"%d" % os.getpid()]


def do_die(environ: Environ, start_response: Any) -> list[bytes]:
    """End as a crash does."""
    os.kill(os.getpid(), signal.SIGKILL)
    time.sleep(10)
    return []


def do_later(environ: Environ, start_response: Any) -> list[bytes]:
    """Answer before the work is done; some of it never is."""
    threading.Thread(target=_work_a_while, daemon=False).start()
    threading.Thread(target=time.sleep, args=(3600,), daemon=False).start()
    start_response("200 OK", [])
    return [b"soon"]


def do_collect(environ: Environ, start_response: Any) -> list[bytes]:
    """Collect garbage, and answer with the bytes that are no longer shared since."""
    before = _private_bytes()
    gc.collect()
    start_response("200 OK", [])
    return [b"%d" % (_private_bytes() - before)]


def _private_bytes() -> int:
    lines = Path("/proc/self/smaps_rollup").read_text().splitlines()
    return sum(int(line.split()[1]) * 1024 for line in lines if line.startswith("Private_Dirty:"))


def _work_a_while() -> None:
    time.sleep(1)
    say("worked")


def do_read(environ: Environ, start_response: Any) -> list[bytes]:
    """Read the body and tell how it ended."""
    say("reading")
    try:
        size = len(environ["wsgi.input"].read())
        say(f"complete {size}")
    except IncompleteBody:
        say("incomplete")
        raise
    start_response("200 OK", [])
    return [b"%d" % size]


def do_download(environ: Environ, start_response: Any) -> Any:
    """Answer with much more than fits into the buffers between."""
    start_response("200 OK", [("Content-Length", str(64 * 2**20))])
    say("sending")
    return (bytes(2**20) for _ in range(64))


def reload() -> ServerOptions:
    """Say so, and take the options of the file that the test writes."""
    say("reload")
    file = Path(os.environ.get("OPTIONS_FILE", "/nonexistent"))
    return options_of(file.read_text() if file.exists() else sys.argv[1])


def options_of(text: str) -> ServerOptions:
    """Read options."""
    return ServerOptions(**{"port": 0, "threads": 2} | json.loads(text))


def main() -> int:
    """Serve with the options of the command line."""
    BALLAST.extend([] for _ in range(int(os.environ.get("BALLAST", "0"))))
    return run(
        make_app,
        options_of(sys.argv[1]),
        on_ready=lambda url: say(f"ready {url}"),
        on_reload=reload,
    )


if __name__ == "__main__":
    sys.exit(main())
