"""What this machine lets an engine use: an accelerator or cores, and how many of those."""

import os
import sys
from collections.abc import Iterator
from pathlib import Path

from app.domain.errors import EngineUnavailable
from app.engines.base import Hardware

CGROUPS = Path("/sys/fs/cgroup")
OWN_CGROUPS = Path("/proc/self/cgroup")
_THREAD_VARIABLES = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMEXPR_NUM_THREADS")


def find_hardware(requested: str = "auto", n_children: int = 1, n_threads: int | None = None) -> Hardware:
    """Choose a device, the type to compute in, and a fair share of the cores.

    Args:
        requested: `auto` (an accelerator if there is one), `cpu` or `cuda`.
        n_children: how many processes share this machine's cores.
        n_threads: threads for each of them, if that was decided elsewhere.

    Raises:
        EngineUnavailable: CUDA was asked for by name and there is none.
    """
    threads = n_threads or max(1, usable_cores() // max(1, n_children))
    if requested == "cpu" or not _has_cuda():
        if requested == "cuda":
            raise EngineUnavailable(engine="cuda", reason="this machine shows no CUDA device")
        return Hardware("cpu", "int8", threads)
    return Hardware("cuda", _cuda_compute_type(), threads)


def limit_threads(hardware: Hardware) -> None:
    """Keep the numeric libraries of this process to its share of the cores.

    Most read the environment once, when they are imported, so call this first thing in a child; PyTorch, if it is
    there already, is told directly.
    """
    for variable in _THREAD_VARIABLES:
        os.environ[variable] = str(hardware.n_threads)
    # Its threads wait by spinning: whisper in two processes on two cores took three times as long as in one after
    # the other, and what they do for it (word times) is short.
    os.environ["NUMBA_NUM_THREADS"] = "1"
    torch = sys.modules.get("torch")
    if torch is not None:
        torch.set_num_threads(hardware.n_threads)


def usable_cores(cgroups: Path = CGROUPS, own: Path = OWN_CGROUPS) -> int:
    """Cores this process may run on, or what its container's quota amounts to, if that is less; at least 1."""
    n_allowed = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    quotas = [quota for quota in (*_quotas_v2(cgroups, own), _quota_v1(cgroups)) if quota]
    return max(1, min([n_allowed, *(int(quota) for quota in quotas)]))


def _quotas_v2(cgroups: Path, own: Path) -> Iterator[float | None]:
    """The quotas in cores of this process's own group and of every group around it."""
    group = Path(_own_group(own).lstrip("/"))
    for folder in (group, *group.parents):
        limit, _, period = _first_line(cgroups / folder / "cpu.max").partition(" ")
        yield int(limit) / int(period) if limit.isdigit() and period.isdigit() and int(period) else None


def _quota_v1(cgroups: Path) -> float | None:
    limit = _first_line(cgroups / "cpu" / "cpu.cfs_quota_us")
    period = _first_line(cgroups / "cpu" / "cpu.cfs_period_us")
    return int(limit) / int(period) if limit.isdigit() and period.isdigit() and int(period) else None


def _own_group(own: Path) -> str:
    """The path of this process's group in the unified hierarchy, whose line starts with `0::`."""
    try:
        lines = own.read_text().splitlines()
    except OSError:
        return "/"
    return next((line[3:] for line in lines if line.startswith("0::")), "/")


def _first_line(path: Path) -> str:
    """Empty where there is no such limit."""
    try:
        return path.read_text().strip()
    except OSError:
        return ""


def _has_cuda() -> bool:
    """Whether a CUDA device is there; PyTorch, which is slow to import, is asked only if it is the only one."""
    try:
        import ctranslate2
    except ImportError:
        return _torch_sees_cuda()
    return bool(ctranslate2.get_cuda_device_count())


def _torch_sees_cuda() -> bool:
    try:
        import torch
    except ImportError:
        return False
    return bool(torch.cuda.is_available())


def _cuda_compute_type() -> str:
    """Half precision, except on devices too old for it."""
    try:
        import ctranslate2
    except ImportError:
        return "float16"
    return "float16" if "float16" in ctranslate2.get_supported_compute_types("cuda") else "float32"
