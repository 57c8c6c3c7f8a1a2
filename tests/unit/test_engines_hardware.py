"""What a machine lets an engine use."""

import os
import subprocess
import sys

import pytest

from app.domain.errors import EngineUnavailable
from app.engines.base import Hardware
from app.engines.hardware import find_hardware, limit_threads, usable_cores

N_ALLOWED = len(os.sched_getaffinity(0))


@pytest.fixture
def cgroups(tmp_path):
    """A file system of control groups without limits, and where a process reads which group it is in."""
    own = tmp_path / "own"
    own.write_text("1:cpu:/\n0::/service/worker\n")
    (tmp_path / "service" / "worker").mkdir(parents=True)
    return tmp_path, own


def has_cuda():
    import ctranslate2

    return ctranslate2.get_cuda_device_count() > 0


def test_without_a_quota_the_cores_allowed_are_usable(cgroups):
    assert usable_cores(*cgroups) == N_ALLOWED


@pytest.mark.parametrize("folder", [".", "service", "service/worker"])
def test_a_quota_of_any_group_around_limits_the_cores(cgroups, folder):
    root, own = cgroups
    (root / folder / "cpu.max").write_text("100000 100000\n")
    assert usable_cores(root, own) == 1


def test_a_part_of_a_core_still_counts_as_one(cgroups):
    root, own = cgroups
    (root / "cpu.max").write_text("50000 100000\n")
    assert usable_cores(root, own) == 1


@pytest.mark.parametrize("limit", ["max 100000", "9900000 100000", "", "what?"])
def test_a_limit_that_is_none_changes_nothing(cgroups, limit):
    root, own = cgroups
    (root / "cpu.max").write_text(limit)
    assert usable_cores(root, own) == N_ALLOWED


def test_quotas_of_the_older_control_groups_count_too(cgroups):
    root, own = cgroups
    (root / "cpu").mkdir()
    (root / "cpu" / "cpu.cfs_period_us").write_text("100000")
    (root / "cpu" / "cpu.cfs_quota_us").write_text("100000")
    assert usable_cores(root, own) == 1
    (root / "cpu" / "cpu.cfs_quota_us").write_text("-1")
    assert usable_cores(root, own) == N_ALLOWED


def test_a_machine_without_control_groups_has_its_cores(tmp_path):
    assert usable_cores(tmp_path / "none", tmp_path / "none") == N_ALLOWED


def test_children_share_the_cores_and_none_goes_without():
    assert find_hardware("cpu", n_children=1).n_threads == usable_cores()
    assert find_hardware("cpu", n_children=10_000).n_threads == 1


def test_a_number_of_threads_that_was_decided_is_kept():
    assert find_hardware("cpu", n_children=8, n_threads=3) == Hardware("cpu", "int8", 3)


def test_numba_gets_one_thread_whatever_the_others_get():
    program = (
        "from app.engines.hardware import limit_threads; from app.engines.base import Hardware\n"
        "limit_threads(Hardware(n_threads=2))\n"
        "import numba; assert numba.get_num_threads() == 1"
    )
    subprocess.run([sys.executable, "-c", program], check=True)


def test_a_machine_without_cuda_computes_in_small_integers_on_the_cpu():
    if has_cuda():
        pytest.skip("this machine has a CUDA device")
    hardware = find_hardware()
    assert (hardware.device, hardware.compute_type) == ("cpu", "int8")


def test_a_machine_with_cuda_uses_it():
    if not has_cuda():
        pytest.skip("this machine has no CUDA device")
    assert find_hardware().device == "cuda"


def test_cuda_asked_for_by_name_must_be_there():
    if has_cuda():
        pytest.skip("this machine has a CUDA device")
    with pytest.raises(EngineUnavailable, match="no CUDA device"):
        find_hardware("cuda")


def test_limits_hold_for_libraries_imported_before_and_after(monkeypatch):
    for variable in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMEXPR_NUM_THREADS"):
        monkeypatch.setenv(variable, "7")
    limit_threads(Hardware(n_threads=1))
    code = (
        "import os; from app.engines.hardware import limit_threads; from app.engines.base import Hardware\n"
        "import torch; assert torch.get_num_threads() == 1, torch.get_num_threads()\n"
        "limit_threads(Hardware(n_threads=2)); assert torch.get_num_threads() == 2\n"
        "assert os.environ['MKL_NUM_THREADS'] == '2'"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
