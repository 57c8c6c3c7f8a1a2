"""What ML packages raise, in this service's own words."""

import pytest

from app.domain.errors import EngineUnavailable, OutOfMemory
from app.engines.failures import is_out_of_memory, reason_of, while_loading


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ("no such file: /var/lib/weights/a.pt", "no such file: …"),
        ("bad magic in '/var/lib/weights/a.pt'", "bad magic in '…'"),
        ("bad magic in ./weights/a.pt, giving up", "bad magic in …, giving up"),
        (r"cannot open C:\weights\a.pt", "cannot open …"),
        ("expected 3/4 of the input", "expected 3/4 of the input"),
        ("first line\nsecond line", "first line"),
        ("", "RuntimeError"),
    ],
)
def test_a_reason_is_one_line_without_paths(said, told):
    assert reason_of(RuntimeError(said)) == told


def test_a_reason_is_short():
    assert len(reason_of(RuntimeError("x" * 5000))) == 200


@pytest.mark.parametrize(
    "error",
    [
        MemoryError(),
        RuntimeError("CUDA out of memory. Tried to allocate 2.00 GiB"),
        RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory: you tried to allocate 9 bytes"),
        RuntimeError("cuBLAS failed with status CUBLAS_STATUS_ALLOC_FAILED"),
    ],
)
def test_every_package_s_way_of_running_out_of_memory_is_known(error):
    assert is_out_of_memory(error)


def test_other_errors_are_not_about_memory():
    assert not is_out_of_memory(RuntimeError("shape mismatch"))


def load_raising(error):
    with while_loading("whisper", "base"):
        raise error


def test_a_missing_package_is_named():
    with pytest.raises(EngineUnavailable, match="the package whisper is not installed"):
        load_raising(ModuleNotFoundError("No module named 'whisper'", name="whisper"))


def test_weights_that_do_not_fit_are_not_called_damaged():
    with pytest.raises(OutOfMemory):
        load_raising(MemoryError())


def test_an_interrupt_is_nobody_s_failure():
    with pytest.raises(KeyboardInterrupt):
        load_raising(KeyboardInterrupt())
