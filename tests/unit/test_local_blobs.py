"""What can happen to blobs on a disk: crashes, full disks, failures, planted files."""

import errno
import fcntl
import os
import stat
import subprocess
import sys
import textwrap
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import SimpleNamespace

import pytest

from davhost.blobs import BlobMissing
from davhost.blobs.local import LocalBlobs
from davhost.blobs.pending import ROOM_CHECK_BYTES
from davhost.errors import DiskFull, Refused, Unavailable
from tests.needs import leave_out

KEY_A, KEY_B = "1/" + "a" * 32, "1/" + "b" * 32


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Give the place of the store."""
    return tmp_path / "blobs"


@pytest.fixture
def store(root: Path) -> LocalBlobs:
    """Give an empty store."""
    return LocalBlobs(root)


def open_descriptors() -> int:
    """Count the descriptors of this process."""
    return len(list(Path("/proc/self/fd").iterdir()))


@pytest.fixture(autouse=True)
def no_descriptor_is_lost() -> Iterator[None]:
    """Every test ends with as many open descriptors as it began with."""
    before = open_descriptors()
    yield
    assert open_descriptors() == before


def put(store: LocalBlobs, content: bytes, space_id: int = 1) -> str:
    """Store *content* as a live blob."""
    with store.upload(space_id) as upload:
        upload.write(content)
        key = upload.finish().key
        upload.keep()
    assert key is not None
    return key


def read(store: LocalBlobs, key: str) -> bytes:
    """Read a whole blob."""
    with store.open(key) as blob:
        return blob.read()


def path_of(root: Path, key: str) -> Path:
    """Tell where a blob is stored."""
    space, _, name = key.partition("/")
    return root / space / name[:2] / name


def files(root: Path) -> list[str]:
    """List everything below the store that is no directory."""
    return sorted(str(path.relative_to(root)) for path in root.rglob("*") if not path.is_dir())


def none_live(keys: object) -> set[str]:
    """Tell a sweep that no row names any key."""
    return set()


def fail(code: int) -> Callable[..., int]:
    """Make a system call that always fails."""

    def failing(*arguments: object, **options: object) -> int:
        raise OSError(code, os.strerror(code), "/secret/place")

    return failing


def script(text: str) -> list[str]:
    """Make the command that runs *text* in another process."""
    return [sys.executable, "-W", "error", "-c", textwrap.dedent(text)]


@contextmanager
def another_process(root: Path, text: str) -> Generator[subprocess.Popen[str]]:
    """Run a script on the store until it prints a line; kill -9 it at the end."""
    head = (
        "import sys; from pathlib import Path; from davhost.blobs.local import LocalBlobs\n"
        "store = LocalBlobs(Path(sys.argv[1]))\n"
    )
    command = script(head + textwrap.dedent(text))
    with subprocess.Popen(
        [*command, str(root)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == "ready\n"
            yield process
        finally:
            process.kill()


# -- the files


def test_a_blob_is_a_read_only_file(store: LocalBlobs, root: Path) -> None:
    """Nobody edits a blob in place, also not through a hard link to it."""
    path = path_of(root, put(store, b"x"))
    assert stat.filemode(path.stat().st_mode) == "-r--r--r--"


def test_directories_are_private(store: LocalBlobs, root: Path) -> None:
    """Other accounts of the machine cannot look into the store."""
    put(store, b"x")
    modes = {path.stat().st_mode & 0o777 for path in (root, *root.rglob("*")) if path.is_dir()}
    assert modes == {0o700}


def test_a_kept_blob_leaves_no_marker(store: LocalBlobs, root: Path) -> None:
    """A live blob is one file and nothing else."""
    key = put(store, b"x")
    assert files(root) == [str(path_of(root, key).relative_to(root))]


def test_an_empty_upload_touches_no_disk(
    store: LocalBlobs, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An empty file costs no system call."""
    monkeypatch.setattr(os, "open", fail(errno.EIO))
    with store.upload(1) as upload:
        upload.write(b"")
        upload.finish()
        upload.keep()
    assert files(root) == []


def test_the_root_may_be_a_link(tmp_path: Path) -> None:
    """The administrator may keep blobs on another disk."""
    (tmp_path / "large-disk").mkdir()
    (tmp_path / "blobs").symlink_to("large-disk")
    store = LocalBlobs(tmp_path / "blobs")
    assert read(store, put(store, b"x")) == b"x"


def _record_syncs(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    synced: list[str] = []

    def record(descriptor: int) -> None:
        synced.append(str(Path(f"/proc/self/fd/{descriptor}").readlink()))

    monkeypatch.setattr(os, "fsync", record)
    return synced


def test_a_durable_blob_is_on_the_disk_with_all_its_directories(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each new directory is synced into its parent, then the bytes, then their name."""
    store = LocalBlobs(root, random_hex=lambda: "a" * 32)
    synced = _record_syncs(monkeypatch)
    path = path_of(root, put(store, b"x"))
    assert synced == [str(p) for p in (root, root / "1", path, path.parent)]


def test_a_blob_beside_others_takes_two_syncs(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In a directory that was there, only the bytes and their name are synced."""
    drawn = iter(["a" * 32, "a" * 31 + "b"])
    store = LocalBlobs(root, random_hex=lambda: next(drawn))
    put(store, b"x")
    synced = _record_syncs(monkeypatch)
    path = path_of(root, put(store, b"y"))
    assert synced == [str(path), str(path.parent)]


def test_a_store_that_is_not_durable_never_syncs(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The fast setting leaves every fsync out."""
    synced = _record_syncs(monkeypatch)
    put(LocalBlobs(root, durable=False), b"x")
    assert synced == []


def test_a_long_upload_is_brought_to_the_disk_while_it_arrives(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every 8 MiB the disk begins with what is new, so that the sync at the end is short."""
    begun: list[tuple[int, int]] = []

    def record(_file: int, start: int, size_bytes: int, advice: int) -> None:
        assert advice == os.POSIX_FADV_DONTNEED
        begun.append((start, size_bytes))

    monkeypatch.setattr(os, "posix_fadvise", record)
    content = bytes(3 * ROOM_CHECK_BYTES)
    for durable in (True, False):
        with LocalBlobs(root, durable=durable).upload(1) as upload:
            for start in range(0, len(content), ROOM_CHECK_BYTES // 4):
                upload.write(content[start : start + ROOM_CHECK_BYTES // 4])
            upload.finish()
            upload.discard()
    assert begun == [(0, ROOM_CHECK_BYTES), (ROOM_CHECK_BYTES, ROOM_CHECK_BYTES)]


def test_what_the_disk_cannot_begin_is_done_at_the_end(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Some file systems know nothing of it."""

    def fail(*_: int) -> None:
        raise OSError(errno.ESPIPE, os.strerror(errno.ESPIPE))

    monkeypatch.setattr(os, "posix_fadvise", fail)
    store = LocalBlobs(root)
    content = os.urandom(ROOM_CHECK_BYTES)
    with store.upload(1) as upload:
        for _ in range(3):
            upload.write(content)
        key = upload.finish().key
        upload.keep()
    assert key is not None
    assert read(store, key) == content * 3


# -- crashes

BEFORE_FINISH = """
    upload = store.upload(1); upload.write(b"x" * 100_000)
"""
AFTER_FINISH = """
    upload = store.upload(1); upload.write(b"x" * 100_000); upload.finish()
"""
WAIT = """
    print("ready", flush=True); sys.stdin.read()
"""


@pytest.mark.parametrize("stage", [BEFORE_FINISH, AFTER_FINISH], ids=["open", "finished"])
def test_a_killed_upload_is_swept(store: LocalBlobs, root: Path, stage: str) -> None:
    """After kill -9 a sweep gives every byte back, and the marker."""
    with another_process(root, stage + WAIT):
        pass
    assert len(files(root)) == 2
    assert store.sweep(none_live) == 1
    assert files(root) == []


def test_a_blob_committed_before_a_kill_is_kept(store: LocalBlobs, root: Path) -> None:
    """After kill -9 between commit and keep, the row decides and the file is there."""
    with another_process(root, AFTER_FINISH + WAIT):
        pass
    assert list(store.keys()) == []
    assert store.sweep(set) == 0
    [(key, size_bytes)] = store.keys()
    assert (size_bytes, read(store, key)) == (100_000, b"x" * 100_000)


@pytest.mark.parametrize(
    "call", ["open", "flock", "mkdir", "link", "write", "fchmod", "fsync", "unlink"]
)
@pytest.mark.parametrize("end", ["keep", "discard"])
def test_a_kill_at_any_call_leaves_nothing_unnoticed(
    store: LocalBlobs, root: Path, call: str, end: str
) -> None:
    """Killed before the n-th call of a kind, for each n, everything left is swept."""
    for number in range(1, 12):
        text = f"""
            import fcntl, os, signal
            from davhost.blobs import local
            from davhost.blobs.local import LocalBlobs
            module = fcntl if {call!r} == "flock" else os
            real, calls = getattr(module, {call!r}), 0
            def counted(*arguments, **options):
                global calls
                calls += 1
                if calls == {number}:
                    os.kill(os.getpid(), signal.SIGKILL)
                return real(*arguments, **options)
            store = LocalBlobs(local.Path({str(root)!r}))
            setattr(module, {call!r}, counted)
            with store.upload({number}) as upload:
                upload.write(b"x")
                upload.finish()
                upload.{end}()
        """
        done = subprocess.run(script(text), check=False, capture_output=True, text=True)
        assert done.returncode in (0, -9), done.stderr
        store.sweep(none_live)
        kept = 1 if done.returncode == 0 and end == "keep" else 0
        assert len(files(root)) == kept
        if done.returncode == 0:
            return
    pytest.fail("the upload makes more calls than this test thought")


def test_a_sweep_leaves_a_blob_that_was_kept_meanwhile(
    store: LocalBlobs, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its marker was there when the sweep listed it, and is not when it is locked."""
    upload = store.upload(1)
    upload.write(b"x")
    key = upload.finish().key
    lock = fcntl.flock

    def kept_first(marker: int, operation: int) -> None:
        monkeypatch.setattr(fcntl, "flock", lock)
        upload.keep()
        lock(marker, operation)

    monkeypatch.setattr(fcntl, "flock", kept_first)
    assert store.sweep(none_live) == 0
    assert list(store.keys()) == [(key, 1)]


def test_a_sweep_leaves_the_upload_of_another_process(store: LocalBlobs, root: Path) -> None:
    """An upload that goes on elsewhere is untouched, and can be kept afterwards."""
    keep = """
    sys.stdin.readline(); upload.keep(); print("kept", flush=True); sys.stdin.readline()
"""
    ready = """
    print("ready", flush=True)
"""
    with another_process(root, AFTER_FINISH + ready + keep) as process:
        assert store.sweep(none_live) == 0
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write("go on\n")
        process.stdin.flush()
        assert process.stdout.readline() == "kept\n"
    assert store.sweep(none_live) == 0
    [(_, size_bytes)] = store.keys()
    assert size_bytes == 100_000


def test_a_child_of_the_server_does_not_keep_an_upload_alive(store: LocalBlobs) -> None:
    """A released upload can be swept, also if a fork has a copy of its descriptors."""
    with store.upload(1) as upload:
        upload.write(b"x")
        upload.finish()
        begin, end = os.pipe()
        child = os.fork()
        if child == 0:
            os.close(end)
            os.read(begin, 1)
            os._exit(0)
    try:
        assert store.sweep(none_live) == 1
    finally:
        os.close(end)
        os.close(begin)
        os.waitpid(child, 0)


def test_a_sweep_between_marker_and_flock_costs_a_key(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An upload whose marker was swept before it was locked takes another key."""
    drawn = iter(["a" * 32, "b" * 32])
    store = LocalBlobs(root, random_hex=lambda: next(drawn))
    lock = fcntl.flock

    def swept_first(marker: int, operation: int) -> None:
        monkeypatch.setattr(fcntl, "flock", lock)
        store.sweep(none_live)
        lock(marker, operation)

    monkeypatch.setattr(fcntl, "flock", swept_first)
    assert put(store, b"x") == KEY_B
    assert len(files(root)) == 1


def test_a_sweep_that_holds_the_flock_costs_a_key(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An upload whose marker a sweep is holding takes another key."""
    drawn = iter(["a" * 32, "b" * 32])
    store = LocalBlobs(root, random_hex=lambda: next(drawn))
    lock = fcntl.flock
    keys: list[str] = []

    def taken(marker: int, operation: int) -> None:
        monkeypatch.setattr(fcntl, "flock", lock)

        def look(asked: object) -> set[str]:
            with pytest.raises(BlockingIOError):
                lock(marker, operation)
            keys.append("asked")
            return set()

        store.sweep(look)
        raise BlockingIOError

    monkeypatch.setattr(fcntl, "flock", taken)
    assert put(store, b"x") == KEY_B
    assert keys == ["asked"]
    assert len(files(root)) == 1


def test_a_marker_without_bytes_is_forgotten(store: LocalBlobs, root: Path) -> None:
    """A crash between the marker and the file leaves nothing to count."""
    (root / "pending" / ("1-" + "a" * 32)).touch()
    assert store.sweep(none_live) == 0
    assert files(root) == []


def test_two_sweeps_share_the_work(store: LocalBlobs) -> None:
    """A sweep leaves alone what another one is settling."""
    with store.upload(1) as upload:
        upload.write(b"x")
        upload.finish()
    inner: list[int] = []

    def live(keys: object) -> set[str]:
        inner.append(store.sweep(none_live))
        return set()

    assert store.sweep(live) == 1
    assert inner == [0]


# -- links


def test_one_file_is_made_for_an_upload(store: LocalBlobs, root: Path) -> None:
    """The marker is a second name of the blob, as long as it is there."""
    with store.upload(1) as upload:
        upload.write(b"x")
        one, other = (root / name for name in files(root))
        assert one.samefile(other)


@pytest.mark.parametrize("code", [errno.EPERM, errno.EOPNOTSUPP], ids=errno.errorcode.get)
@pytest.mark.parametrize("stage", [BEFORE_FINISH, AFTER_FINISH], ids=["open", "finished"])
def test_a_disk_without_links_holds_blobs_too(
    store: LocalBlobs, root: Path, monkeypatch: pytest.MonkeyPatch, code: int, stage: str
) -> None:
    """Also after kill -9: then there are two files."""
    monkeypatch.setattr(os, "link", fail(code))
    assert read(store, put(store, b"x")) == b"x"
    without = f"""
    import os
    def link(*arguments, **options):
        raise OSError({code}, "no links")
    os.link = link
"""
    with another_process(root, without + stage + WAIT):
        pass
    assert len(files(root)) == 3
    assert store.sweep(none_live) == 1
    assert len(files(root)) == 1


# -- failures of the disk


@pytest.mark.parametrize("call", ["mkdir", "link", "write", "fsync", "open", "fchmod", "statvfs"])
@pytest.mark.parametrize(
    ("code", "outcome"),
    [
        (errno.ENOSPC, DiskFull),
        (errno.EDQUOT, DiskFull),
        (errno.EIO, Unavailable),
        (errno.EROFS, Unavailable),
        (errno.EMFILE, Unavailable),
    ],
    ids=["ENOSPC", "EDQUOT", "EIO", "EROFS", "EMFILE"],
)
def test_a_failed_call_is_reported_and_leaves_nothing(
    store: LocalBlobs, root: Path, call: str, code: int, outcome: type[Refused]
) -> None:
    """Whatever the disk refuses to do, the client hears of it and the bytes are gone."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, call, fail(code))
        with pytest.raises(outcome) as refused:
            put(store, b"x")
        assert "secret" not in refused.value.sentence
        assert "secret" not in str(refused.value)
    assert files(root) == []
    assert read(store, put(store, b"next try")) == b"next try"


def test_a_failed_fsync_is_final(store: LocalBlobs, monkeypatch: pytest.MonkeyPatch) -> None:
    """The fsync after a failed one would succeed without the lost pages: there is none."""
    with store.upload(1) as upload:
        upload.write(b"x")
        with monkeypatch.context() as patch:
            patch.setattr(os, "fsync", fail(errno.EIO))
            with pytest.raises(Unavailable):
                upload.finish()
        with pytest.raises(ValueError):
            upload.finish()
        with pytest.raises(ValueError):
            upload.keep()


def test_a_failed_fsync_of_the_directory_is_reported(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Bytes whose name may not be on the disk are no success."""
    store = LocalBlobs(root)
    sync = os.fsync

    def only_files(descriptor: int) -> None:
        if stat.S_ISDIR(os.fstat(descriptor).st_mode):
            raise OSError(errno.EIO, "broken")
        sync(descriptor)

    with store.upload(1) as upload:
        upload.write(b"x")
        monkeypatch.setattr(os, "fsync", only_files)
        with pytest.raises(Unavailable):
            upload.finish()
    assert files(root) == []


def test_short_writes_are_continued(store: LocalBlobs, monkeypatch: pytest.MonkeyPatch) -> None:
    """A disk that takes a few bytes at a time still gets all of them."""
    write = os.write
    monkeypatch.setattr(os, "write", lambda fd, block: write(fd, bytes(block[:7])))
    assert read(store, put(store, b"0123456789" * 10)) == b"0123456789" * 10


def test_a_marker_that_cannot_be_removed_does_not_fail_the_client(
    store: LocalBlobs, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The row is committed, so keep succeeds; the marker waits for a sweep."""
    with monkeypatch.context() as patch:
        patch.setattr(os, "unlink", fail(errno.EIO))
        key = put(store, b"x")
    assert len(files(root)) == 2
    assert store.sweep(set) == 0
    assert list(store.keys()) == [(key, 1)]


def test_bytes_that_cannot_be_discarded_are_swept(
    store: LocalBlobs, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A discard that the disk refuses is made good by a sweep."""
    with store.upload(1) as upload, monkeypatch.context() as patch:
        upload.write(b"x")
        patch.setattr(os, "unlink", fail(errno.EIO))
        upload.discard()
    assert store.sweep(none_live) == 1
    assert files(root) == []


def test_a_sweep_keeps_the_marker_of_what_it_cannot_delete(
    store: LocalBlobs, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Bytes that cannot be deleted now are deleted by the next sweep."""
    with store.upload(1) as upload:
        upload.write(b"x")
        upload.finish()
    with monkeypatch.context() as patch:
        patch.setattr(os, "unlink", fail(errno.EROFS))
        assert store.sweep(none_live) == 0
    assert store.sweep(none_live) == 1


each_method = pytest.mark.parametrize(
    "act",
    [
        lambda store: store.open(KEY_A),
        lambda store: store.delete(KEY_A),
        lambda store: store.sweep(none_live),
        lambda store: list(store.keys()),
        lambda store: store.remove_space(1),
        lambda store: put(store, b"x"),
    ],
    ids=["open", "delete", "sweep", "keys", "remove_space", "upload"],
)


@each_method
@pytest.mark.parametrize("code", [errno.EIO, errno.EMFILE, errno.EACCES], ids=errno.errorcode.get)
def test_a_broken_disk_is_unavailable(
    store: LocalBlobs, act: Callable[[LocalBlobs], object], code: int
) -> None:
    """No method takes a broken disk for an absent blob."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "open", fail(code))
        with pytest.raises(Unavailable) as refused:
            act(store)
    assert "secret" not in str(refused.value)


@each_method
@pytest.mark.parametrize("mount_point", [False, True], ids=["nothing", "empty mount point"])
def test_a_disk_that_is_not_there_is_unavailable(
    store: LocalBlobs, root: Path, act: Callable[[LocalBlobs], object], mount_point: bool
) -> None:
    """An unmounted disk is no absent blob, no success, and no place for a new store."""
    root.rename(root.with_name("unmounted"))
    if mount_point:
        root.mkdir()
    with pytest.raises(Unavailable):
        act(store)
    assert list(root.parent.rglob("blobs/*")) == []


def test_a_disk_that_goes_away_while_listing_is_unavailable(store: LocalBlobs, root: Path) -> None:
    """A check never takes the blobs of an unmounted disk for lost."""
    put(store, b"x", space_id=1), put(store, b"y", space_id=2)
    listed = store.keys()
    next(listed)
    root.rename(root.with_name("unmounted"))
    with pytest.raises(Unavailable):
        list(listed)


# -- room


def fake_disk(monkeypatch: pytest.MonkeyPatch, **sizes: int) -> SimpleNamespace:
    """Make a file system of blocks of one byte."""
    disk = SimpleNamespace(f_frsize=1, **sizes)
    monkeypatch.setattr(os, "statvfs", lambda path: disk)
    return disk


@pytest.mark.parametrize(
    ("total_bytes", "reserve_bytes", "free_bytes", "fits"),
    [
        (10_000, 100, 110, True),
        (10_000, 100, 109, False),
        (1_000, 100, 60, True),
        (1_000, 100, 59, False),
        (0, 100, 0, True),
    ],
    ids=["reserve", "below reserve", "5 %", "below 5 %", "size not told"],
)
def test_the_reserve_stays_free(
    root: Path,
    monkeypatch: pytest.MonkeyPatch,
    total_bytes: int,
    reserve_bytes: int,
    free_bytes: int,
    fits: bool,
) -> None:
    """Ten bytes are taken if the reserve, or 5 % of a small disk, stays free."""
    store = LocalBlobs(root, reserve_bytes=reserve_bytes)
    fake_disk(monkeypatch, f_blocks=total_bytes, f_bavail=free_bytes)
    with store.upload(1) as upload:
        if fits:
            upload.write(b"x" * 10)
        else:
            with pytest.raises(DiskFull):
                upload.write(b"x" * 10)


@pytest.mark.parametrize(
    ("total_bytes", "free_bytes", "room_bytes"),
    [(10_000, 110, 10), (10_000, 90, 0), (0, 0, None)],
    ids=["beside the reserve", "below the reserve", "not told"],
)
def test_the_room_is_what_uploads_may_have(
    root: Path,
    monkeypatch: pytest.MonkeyPatch,
    total_bytes: int,
    free_bytes: int,
    room_bytes: int | None,
) -> None:
    """Never less than nothing; nobody knows where the file system does not tell."""
    store = LocalBlobs(root, reserve_bytes=100)
    fake_disk(monkeypatch, f_blocks=total_bytes, f_bavail=free_bytes)
    assert store.room_bytes() == room_bytes


def test_a_long_upload_looks_at_the_room_again(
    store: LocalBlobs, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A disk that others fill meanwhile is noticed within 8 MiB."""
    disk = fake_disk(monkeypatch, f_blocks=10**12, f_bavail=10**11)
    block = bytes(1 << 20)
    with store.upload(1) as upload:
        upload.write(block)
        disk.f_bavail = 0
        for _ in range(ROOM_CHECK_BYTES // len(block) - 1):
            upload.write(block)
        with pytest.raises(DiskFull):
            upload.write(block)
    assert files(root) == []


@pytest.mark.needs("root", "unshare", "mount")
def test_a_really_full_disk_gives_the_space_back(tmp_path: Path) -> None:
    """On a tmpfs of 4 MiB: DiskFull, nothing left, reading, deleting and the next try work."""
    text = """
        import os, sys
        from pathlib import Path
        from davhost.blobs.local import LocalBlobs
        from davhost.errors import DiskFull

        def put(content):
            with store.upload(1) as upload:
                upload.write(content)
                key = upload.finish().key
                upload.keep()
            return key

        def free():
            disk = os.statvfs(sys.argv[1])
            return disk.f_bavail * disk.f_frsize

        store = LocalBlobs(Path(sys.argv[1]) / "blobs", reserve_bytes=int(sys.argv[2]))
        key = put(b"old" * 300_000)
        free_bytes = free()
        try:
            with store.upload(1) as upload:
                for _ in range(100):
                    upload.write(bytes(100_000))
        except DiskFull:
            print("full")
        with store.open(key) as blob:
            print(blob.read() == b"old" * 300_000)
        print(free() == free_bytes)
        store.delete(key)
        put(bytes(3_000_000))
        print("stored")
    """
    mount = 'mount -t tmpfs -o size=4m none "$1" || exit 77; shift; exec "$@"'
    private_mount = ["unshare", "--mount", "sh", "-c", mount, "sh"]
    for reserve_bytes in ("0", "67108864"):
        done = subprocess.run(
            [*private_mount, str(tmp_path), *script(text), str(tmp_path), reserve_bytes],
            check=False,
            capture_output=True,
            text=True,
        )
        if done.returncode in (1, 77) and "Operation not permitted" in done.stderr:
            leave_out("needs the right to mount")
        assert (done.stdout.split(), done.stderr) == (["full", "True", "True", "stored"], "")


def test_a_file_that_is_too_large_for_the_system_is_refused(root: Path) -> None:
    """A limit of the file system ends as Unavailable and leaves nothing."""
    text = """
        import resource, sys
        from pathlib import Path
        from davhost.blobs.local import LocalBlobs
        from davhost.errors import Unavailable

        store = LocalBlobs(Path(sys.argv[1]))
        resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))
        try:
            with store.upload(1) as upload:
                upload.write(bytes(60_000))
                upload.write(bytes(60_000))
        except Unavailable:
            print("unavailable")
    """
    done = subprocess.run([*script(text), str(root)], check=True, capture_output=True, text=True)
    assert done.stdout == "unavailable\n"
    assert files(root) == []


def test_too_many_open_files_is_survived(root: Path) -> None:
    """With 64 descriptors uploads are refused at some point, and work again after it."""
    text = """
        import resource, sys
        from pathlib import Path
        from davhost.blobs.local import LocalBlobs
        from davhost.errors import Unavailable

        store = LocalBlobs(Path(sys.argv[1]))
        resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64))
        uploads = []
        try:
            while True:
                upload = store.upload(1)
                upload.write(b"x")
                uploads.append(upload)
        except Unavailable:
            print("unavailable after", len(uploads))
        for upload in uploads:
            upload.finish()
            upload.keep()
        with store.upload(1) as upload:
            upload.write(b"y")
            upload.finish()
            upload.keep()
        print(sum(1 for _ in store.keys()))
        print(store.sweep(set))
    """
    done = subprocess.run([*script(text), str(root)], check=True, capture_output=True, text=True)
    refused, stored, swept = done.stdout.splitlines()
    uploads = int(refused.removeprefix("unavailable after "))
    assert uploads >= 15
    assert (int(stored), int(swept)) == (uploads + 1, 0)
    assert len(files(root)) == uploads + 1


# -- planted files


def plant_link(path: Path, secret: Path) -> None:
    """Put a symbolic link in the place of a blob."""
    path.symlink_to(secret)


def plant_fifo(path: Path, secret: Path) -> None:
    """Put a FIFO in the place of a blob: a plain open would wait for ever."""
    os.mkfifo(path)


def plant_directory(path: Path, secret: Path) -> None:
    """Put a directory in the place of a blob."""
    path.mkdir()


def plant_socket(path: Path, secret: Path) -> None:
    """Put a socket in the place of a blob."""
    os.mknod(path, stat.S_IFSOCK | 0o600)


PLANTS = [plant_link, plant_fifo, plant_directory, plant_socket]


@pytest.fixture
def secret(tmp_path: Path) -> Path:
    """Give a file outside the store that nobody may reach through it."""
    path = tmp_path / "secret"
    path.write_bytes(b"secret")
    return path


@pytest.mark.parametrize("plant", PLANTS, ids=lambda plant: plant.__name__)
def test_a_planted_file_is_no_blob(
    store: LocalBlobs, root: Path, secret: Path, plant: Callable[[Path, Path], None]
) -> None:
    """What is no plain file is missing, neither read nor waited for nor listed."""
    path_of(root, KEY_A).parent.mkdir(parents=True)
    plant(path_of(root, KEY_A), secret)
    with pytest.raises(BlobMissing):
        store.open(KEY_A)
    assert list(store.keys()) == []


@pytest.mark.parametrize("plant", PLANTS, ids=lambda plant: plant.__name__)
def test_a_planted_file_is_not_written_to(
    root: Path, secret: Path, plant: Callable[[Path, Path], None]
) -> None:
    """An upload whose place is taken goes elsewhere."""
    drawn = iter(["a" * 32, "b" * 32])
    store = LocalBlobs(root, random_hex=lambda: next(drawn))
    path_of(root, KEY_A).parent.mkdir(parents=True)
    plant(path_of(root, KEY_A), secret)
    assert put(store, b"x") == KEY_B
    assert secret.read_bytes() == b"secret"


@pytest.mark.parametrize("plant", PLANTS, ids=lambda plant: plant.__name__)
def test_a_planted_marker_is_ignored(
    store: LocalBlobs, root: Path, secret: Path, plant: Callable[[Path, Path], None]
) -> None:
    """A sweep neither follows nor waits for what is no marker."""
    plant(root / "pending" / ("1-" + "a" * 32), secret)
    assert store.sweep(none_live) == 0
    assert secret.read_bytes() == b"secret"


@pytest.mark.parametrize("name", ["README", "1-x", "..-" + "a" * 32, "-" + "a" * 32])
def test_a_foreign_file_among_the_markers_is_ignored(
    store: LocalBlobs, root: Path, name: str
) -> None:
    """A sweep leaves alone what no upload has made."""
    (root / "pending" / name).touch()
    assert store.sweep(none_live) == 0
    assert files(root) == [f"pending/{name}"]


@pytest.mark.parametrize("linked", ["1", "1/aa"])
def test_a_planted_directory_link_leads_nowhere(root: Path, tmp_path: Path, linked: str) -> None:
    """A link in the place of a directory is not walked through, by no method."""
    store = LocalBlobs(root, random_hex=lambda: "a" * 32)
    outside = tmp_path / "outside"
    (outside / "aa").mkdir(parents=True)
    (outside / ("a" * 32)).write_bytes(b"secret")
    (outside / "aa" / ("a" * 32)).write_bytes(b"secret")
    (root / linked).parent.mkdir(exist_ok=True)
    (root / linked).symlink_to(outside)

    with pytest.raises(BlobMissing):
        store.open(KEY_A)
    assert list(store.keys()) == []
    with store.upload(1) as upload, pytest.raises(Unavailable):
        upload.write(b"x")
    store.delete(KEY_A)
    (root / "pending" / ("1-" + "a" * 32)).touch()
    assert store.sweep(none_live) == 0
    with suppress(Unavailable):
        store.remove_space(1)
    assert len(files(outside)) == 2


def test_a_link_in_the_place_of_pending_leads_nowhere(
    store: LocalBlobs, root: Path, tmp_path: Path
) -> None:
    """Markers are not made elsewhere."""
    outside = tmp_path / "outside"
    outside.mkdir()
    (root / "pending").rmdir()
    (root / "pending").symlink_to(outside)
    with store.upload(1) as upload, pytest.raises(Unavailable):
        upload.write(b"x")
    assert files(outside) == []


def test_foreign_files_are_not_listed(store: LocalBlobs, root: Path) -> None:
    """What lies about in the store is no blob."""
    key = put(store, b"x")
    (root / "1" / "README").touch()
    (root / "lost+found").mkdir()
    (path_of(root, key).parent / "notes.txt").touch()
    (root / "1" / "zz").mkdir()
    (path_of(root, key).parent / ("f" * 32 if key[2:4] != "ff" else "0" * 32)).touch()
    assert list(store.keys()) == [(key, 1)]
