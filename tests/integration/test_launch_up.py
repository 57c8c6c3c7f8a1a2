"""`up` as people live with it: it starts, answers, heals, stops, and survives its own hard end."""

import signal
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest

from tests.running_service import RunningService, free_port, refused


@pytest.fixture(scope="module")
def standing(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningService]:
    """One that runs, for tests that leave it running."""
    with started(tmp_path_factory.mktemp("standing") / "var", free_port()) as service:
        yield service


@contextmanager
def started(var_dir: Path, port: int) -> Iterator[RunningService]:
    service = RunningService(var_dir, port)
    try:
        yield service.start()
    finally:
        service.end()


def eventually(happens: Callable[[], bool], within_s: float = 20.0) -> bool:
    deadline_s = time.monotonic() + within_s
    while time.monotonic() < deadline_s:
        if happens():
            return True
        time.sleep(0.1)
    return False


def test_it_answers_and_stops_on_ctrl_c_in_good_order_leaving_no_process(tmp_path):
    with started(tmp_path / "var", free_port()) as service:
        assert service.is_live()
        processes = service.processes()
        assert len(processes) >= 5
        assert service.stop(signal.SIGINT) == 0
        assert [process for process in processes if process.is_running()] == []
        assert "took too long" not in service.told()


def test_a_launcher_killed_hard_leaves_nothing_that_blocks_the_next(tmp_path):
    port = free_port()
    with started(tmp_path / "var", port) as first:
        processes = first.processes()
        first.launcher.kill()
        first.launcher.wait()
        with started(tmp_path / "var", port) as second:
            assert second.is_live()
            assert [process for process in processes if process.is_running()] == []
            assert second.stop(signal.SIGTERM) == 0


def test_whatever_is_killed_is_started_again(standing):
    killed = {name: standing.process(name) for name in ("api", "redis", "postgres", "batch_worker")}
    for process in killed.values():
        process.kill()
    for name, process in killed.items():
        assert eventually(lambda name=name, before=process: is_another(standing, name, before)), name
    assert eventually(standing.is_live)
    assert standing.told().count("started again") >= len(killed)


def is_another(service: RunningService, name: str, before: psutil.Process) -> bool:
    try:
        return service.process(name) != before
    except (FileNotFoundError, psutil.NoSuchProcess):
        return False


def test_a_second_launcher_on_the_same_var_dir_says_so(standing):
    assert f"Parloir already runs on {standing.var_dir}" in refused(standing.var_dir, free_port())
    assert standing.is_live()


def test_two_run_side_by_side(standing, tmp_path):
    with started(tmp_path / "other", free_port()) as other:
        assert other.is_live()
    assert standing.is_live()


def test_a_port_in_use_is_told_in_one_line_before_anything_is_started(tmp_path):
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        said = refused(tmp_path / "var", port)
    assert len(said.splitlines()) == 1
    assert f"Port {port}" in said
    assert not (tmp_path / "var" / "postgres").exists()


def test_settings_that_are_wrong_are_all_told_before_anything_is_started(tmp_path):
    said = refused(tmp_path / "var", 0, CONCURRENCY="none", LOG_LEVEL="LOUD")
    assert [name for name in ("PORT:", "CONCURRENCY:", "LOG_LEVEL:") if name not in said] == []
    assert "Traceback" not in said
    assert not (tmp_path / "var").exists()


def test_a_database_that_cannot_be_reached_is_told_in_one_line_without_its_password(tmp_path):
    said = refused(tmp_path / "var", free_port(), DATABASE_URL="postgresql://me:hunter2@127.0.0.1:9/none")
    assert len(said.splitlines()) == 1
    assert "DATABASE_URL cannot be used" in said
    assert "hunter2" not in said
