"""Recordings in a folder: safe when kept, gone when dropped, whole or not at all."""

import hashlib
import os
import resource
import signal
import time

import pytest

from app.domain.errors import NotFound, StorageFull, TooLarge
from app.services.media.folder import HEAD_BYTES, FolderStorage


@pytest.fixture
def storage(tmp_path):
    return FolderStorage(tmp_path / "audio")


def files(storage) -> list[str]:
    return [name for _, _, names in os.walk(storage._folder) for name in names]


def test_what_was_kept_is_read_back_with_its_hash_size_and_head(storage):
    data = os.urandom(3 * HEAD_BYTES)
    upload = storage.receive(10**9)
    for start in range(0, len(data), 10_000):
        upload.write(data[start : start + 10_000])
    kept = upload.keep()
    with storage.open(kept.key) as file:
        assert file.read() == data
    assert kept.sha256 == hashlib.sha256(data).hexdigest()
    assert (kept.size_bytes, kept.head) == (len(data), data[:HEAD_BYTES])


def test_what_was_dropped_leaves_nothing(storage):
    upload = storage.receive(10**9)
    upload.write(b"x" * 1000)
    upload.drop()
    upload.drop()
    assert files(storage) == []


def test_nothing_is_visible_under_its_key_before_it_is_kept(storage):
    upload = storage.receive(10**9)
    upload.write(b"x")
    with pytest.raises(NotFound):
        storage.open(upload._key)


def test_more_than_is_allowed_is_refused(storage):
    upload = storage.receive(10)
    upload.write(b"x" * 10)
    with pytest.raises(TooLarge):
        upload.write(b"x")
    upload.drop()
    assert files(storage) == []


def test_a_full_disk_is_told_as_such(storage):
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    old = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    upload = storage.receive(10**9)
    try:
        resource.setrlimit(resource.RLIMIT_FSIZE, (4096, before[1]))
        with pytest.raises(StorageFull):
            upload.write(b"x" * 5000)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, old)
    upload.drop()
    assert files(storage) == []


def test_deleting_twice_is_harmless(storage):
    upload = storage.receive(10)
    upload.write(b"x")
    key = upload.keep().key
    storage.delete(key)
    storage.delete(key)
    with pytest.raises(NotFound), storage.local_path(key):
        pass


def test_abandoned_uploads_are_swept_and_fresh_ones_are_not(storage):
    old, fresh = storage.receive(10), storage.receive(10)
    os.utime(old._path, (time.time() - 7200, time.time() - 7200))
    assert storage.sweep_incoming(older_than_s=3600) == 1
    assert files(storage) == [fresh._key]
    fresh.drop()


def test_slow_work_goes_where_it_holds_up_nobody(tmp_path):
    offloaded = []

    def offload(action):
        offloaded.append(action)
        action()

    upload = FolderStorage(tmp_path, offload).receive(10)
    upload.write(b"x")
    upload.keep()
    assert len(offloaded) == 2, "the sync of the file, and putting it in its place"
