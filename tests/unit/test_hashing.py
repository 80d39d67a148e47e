"""The hash of an upload is that of its bytes, whoever computes it, and no thread is left."""

import hashlib
import threading
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from davhost.blobs.hashing import StreamHash
from davhost.blobs.local import LocalBlobs

MIB = 1 << 20


@pytest.fixture(autouse=True)
def no_thread_is_left() -> Iterator[None]:
    """Every test ends with as many threads as it began with."""
    before = threading.active_count()
    yield
    assert threading.active_count() == before


def blocks_of(size_bytes: int) -> list[bytes]:
    """Blocks of several lengths, none like the other."""
    blocks: list[bytes] = []
    while (left := size_bytes - sum(map(len, blocks))) > 0:
        length = (1, 100_000, 262_144, 777_777)[len(blocks) % 4]
        blocks.append((b"%08d" % len(blocks) * 100_000)[: min(left, length)])
    return blocks


def sha256_of(blocks: list[bytes]) -> str:
    """The hash of all of them."""
    return hashlib.sha256(b"".join(blocks)).hexdigest()


@pytest.mark.parametrize("size_bytes", [0, 1, 4 * MIB, 4 * MIB + 1, 23 * MIB])
def test_it_is_the_hash_of_all_blocks(size_bytes: int) -> None:
    """Short streams and long ones."""
    blocks = blocks_of(size_bytes)
    stream = StreamHash()
    for block in blocks:
        stream.update(block)
    assert stream.hexdigest() == sha256_of(blocks)


def test_many_at_once_have_their_own() -> None:
    """Also those for which there is no thread any more."""
    with ExitStack() as ends:
        streams = [StreamHash() for _ in range(40)]
        for stream in streams:
            ends.callback(stream.close)
        contents = [[*blocks_of(5 * MIB), b"%d" % number] for number in range(40)]
        before = threading.active_count()
        for blocks in zip(*contents, strict=True):
            for stream, block in zip(streams, blocks, strict=True):
                stream.update(block)
        assert before < threading.active_count() < before + 40
        hashes = [stream.hexdigest() for stream in streams]
    assert hashes == [sha256_of(blocks) for blocks in contents]


def test_without_threads_it_is_slower_and_right(monkeypatch: pytest.MonkeyPatch) -> None:
    """A system may have no more of them to give; and later it has some again."""
    blocks = blocks_of(6 * MIB)
    with monkeypatch.context() as patch:

        def cannot(_: threading.Thread) -> None:
            raise RuntimeError("can't start new thread")

        patch.setattr(threading.Thread, "start", cannot)
        for _ in range(40):
            stream = StreamHash()
            for block in blocks:
                stream.update(block)
            assert stream.hexdigest() == sha256_of(blocks)
    before = threading.active_count()
    stream = StreamHash()
    for block in blocks:
        stream.update(block)
    assert threading.active_count() == before + 1
    assert stream.hexdigest() == sha256_of(blocks)


@pytest.mark.parametrize("how", ["discard", "release", "leave", "keep"])
def test_every_end_of_an_upload_ends_its_thread(tmp_path: Path, how: str) -> None:
    """However far it went."""
    store = LocalBlobs(tmp_path / "blobs", durable=False)
    before = threading.active_count()
    with store.upload(1) as upload:
        for block in blocks_of(8 * MIB):
            upload.write(block)
        assert threading.active_count() == before + 1
        if how == "keep":
            assert upload.finish().sha256 == sha256_of(blocks_of(8 * MIB))
        if how != "leave":
            getattr(upload, how)()
    assert threading.active_count() == before
