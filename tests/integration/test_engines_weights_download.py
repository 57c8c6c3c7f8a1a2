"""Downloads over real HTTP that break off, lie, or find the disk full."""

import hashlib
import random

import pytest
from weights_server import serving

from app.engines.weights import download as downloading
from app.engines.weights.digests import Digest
from app.engines.weights.download import Remote, download
from app.engines.weights.errors import NoRoom, UnknownWeights, WeightsError

CONTENT = random.Random(0).randbytes(400_000)
PATH = "/weights.bin"


@pytest.fixture(autouse=True)
def no_pauses(monkeypatch):
    monkeypatch.setattr(downloading, "FIRST_PAUSE_S", 0.0)


@pytest.fixture
def server():
    with serving() as told:
        told.files[PATH] = CONTENT
        yield told


@pytest.fixture
def target(tmp_path):
    return tmp_path / "weights.bin"


def fetch(server, target, content=CONTENT, progress=lambda *_: None):
    digest = Digest("sha256", hashlib.sha256(content).hexdigest())
    download(Remote(server.url + PATH, "the weights", digest), target, progress)


def part_of(target):
    return target.with_name(target.name + ".part")


def test_a_file_is_fetched_and_its_progress_told(server, target):
    told = []
    fetch(server, target, progress=lambda n_bytes, total: told.append((n_bytes, total)))
    assert target.read_bytes() == CONTENT
    assert told[-1] == (len(CONTENT), len(CONTENT))
    assert told == sorted(told)


def test_a_transfer_that_breaks_off_goes_on_where_it_was(server, target):
    server.breaks = [100_000, 150_000]
    fetch(server, target)
    assert target.read_bytes() == CONTENT
    assert [int(one.removeprefix("bytes=").rstrip("-")) for one in server.ranges(PATH)[1:]] == [100_000, 250_000]


def test_a_later_call_goes_on_with_what_is_there(server, target):
    part_of(target).write_bytes(CONTENT[:300_000])
    fetch(server, target)
    assert target.read_bytes() == CONTENT
    assert server.ranges(PATH) == ["bytes=300000-"]


def test_a_part_that_is_already_whole_is_not_fetched_again(server, target):
    part_of(target).write_bytes(CONTENT)
    fetch(server, target)
    assert target.read_bytes() == CONTENT


def test_a_part_of_another_file_is_thrown_away(server, target):
    part_of(target).write_bytes(CONTENT + b"more")
    fetch(server, target)
    assert target.read_bytes() == CONTENT


def test_a_server_that_cannot_go_on_is_asked_for_all_of_it(server, target):
    server.ignores_ranges = True
    part_of(target).write_bytes(b"x" * 1000)
    fetch(server, target)
    assert target.read_bytes() == CONTENT


def test_a_wrong_digest_is_refused_and_nothing_is_left(server, target, tmp_path):
    with pytest.raises(WeightsError, match="sha256"):
        fetch(server, target, content=b"something else")
    assert list(tmp_path.iterdir()) == []


def test_a_part_that_was_damaged_on_the_disk_is_found_out(server, target, tmp_path):
    part_of(target).write_bytes(b"\0" * 1000)
    with pytest.raises(WeightsError, match="sha256"):
        fetch(server, target)
    assert list(tmp_path.iterdir()) == []


def test_a_server_in_trouble_is_asked_again(server, target):
    server.refusals = [503, 429]
    fetch(server, target)
    assert target.read_bytes() == CONTENT


def test_a_server_that_never_answers_well_is_given_up_and_what_came_is_kept(server, target):
    part_of(target).write_bytes(CONTENT[:50_000])
    server.refusals = [503] * 10
    with pytest.raises(WeightsError, match="503"):
        fetch(server, target)
    assert part_of(target).read_bytes() == CONTENT[:50_000]
    assert not target.exists()


def test_a_file_that_is_not_there_is_unknown(server, target):
    del server.files[PATH]
    with pytest.raises(UnknownWeights, match="404"):
        fetch(server, target)


def test_a_refusal_that_no_repetition_helps_is_not_repeated(server, target):
    server.refusals = [403, 403]
    with pytest.raises(WeightsError, match="403"):
        fetch(server, target)
    assert len(server.asked) == 1


def test_a_machine_without_a_network_is_told_in_one_line(server, target):
    server.url = "http://127.0.0.1:1"
    with pytest.raises(WeightsError) as failed:
        fetch(server, target)
    assert "the weights cannot be fetched from 127.0.0.1" in str(failed.value)
    assert "\n" not in str(failed.value)


def test_a_full_disk_is_told_and_nothing_is_left_on_it(server, target, tmp_path):
    # Whatever is written there, the system answers that the device is full.
    part_of(target).symlink_to("/dev/full")
    with pytest.raises(NoRoom, match="no room left on the disk for the weights"):
        fetch(server, target)
    assert list(tmp_path.iterdir()) == []
