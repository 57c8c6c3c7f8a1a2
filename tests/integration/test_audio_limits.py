"""The decoder process is held to its limits, and is gone when nobody needs it."""

import os
import signal
import struct
import subprocess
import sys
import textwrap
import time
from contextlib import suppress

import numpy as np
import psutil
import pytest

from app.audio.decode import DecodeLimits, decode
from app.audio.decoder_protocol import Request
from app.audio.sound import RATE_HZ
from app.domain.errors import ChildDied, MediaTooLong, MediaUnreadable
from tests.sounds import DEMO, Encoding, encode

WAV = Encoding("wav", "wav", "pcm_s16le", 16_000, "mono")
ROOT = DEMO.parents[1]


def huge_wav(path, duration_s, *, rate_hz=RATE_HZ, n_channels=1, is_declared=True):
    """Zeros without end that take no room on the disk."""
    bytes_per_s = rate_hz * n_channels * 2
    n_bytes = min(duration_s * bytes_per_s, 0x7FFE_0000) if is_declared else 0xFFFF_FFFF
    fmt = struct.pack("<4sIHHIIHH", b"fmt ", 16, 1, n_channels, rate_hz, bytes_per_s, 2 * n_channels, 16)
    path.write_bytes(b"RIFF\xff\xff\xff\xffWAVE" + fmt + struct.pack("<4sI", b"data", n_bytes))
    os.truncate(path, 44 + duration_s * bytes_per_s)
    return path


def decoders(of=None):
    """The decoder processes that this one (or `of`) has started."""
    children = psutil.Process(of).children()
    return [child for child in children if "app.audio.decoder" in " ".join(child.cmdline())]


def wait_until(is_so, within_s=10.0):
    deadline = time.monotonic() + within_s
    while not is_so():
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.02)


def test_a_recording_that_says_it_is_too_long_is_refused_at_once(tmp_path):
    path = encode(tmp_path / "a", WAV, 3.0)
    with pytest.raises(MediaTooLong, match="2 s allowed"), decode(path, limits=DecodeLimits(max_s=2.0)):
        pass


def test_a_recording_that_turns_out_too_long_is_refused_when_it_does(tmp_path):
    path = huge_wav(tmp_path / "a", 600, is_declared=False)
    with decode(path, limits=DecodeLimits(max_s=30.0)) as decoding, pytest.raises(MediaTooLong):
        for _ in decoding:
            pass
    assert decoding.n_samples <= 30 * RATE_HZ


def test_a_recording_as_long_as_allowed_is_decoded(tmp_path):
    with decode(encode(tmp_path / "a", WAV, 3.0), limits=DecodeLimits(max_s=3.0)) as decoding:
        assert sum(map(len, decoding)) == 3 * RATE_HZ


def test_an_hour_is_decoded_a_second_at_a_time(tmp_path):
    own = psutil.Process()
    with decode(huge_wav(tmp_path / "a", 3_600)) as decoding:
        before_bytes = own.memory_info().rss
        lengths = {len(chunk) for chunk in decoding}
    assert lengths == {RATE_HZ}
    assert decoding.n_samples == 3_600 * RATE_HZ
    assert own.memory_info().rss - before_bytes < 30 * 1024**2


def test_decoding_that_takes_too_much_processor_time_is_ended_with_that_reason(tmp_path):
    path = huge_wav(tmp_path / "a", 3_600, rate_hz=96_000, n_channels=2)
    limits = DecodeLimits(cpu_s=1)
    with (
        pytest.raises(MediaUnreadable, match="more than 1 s of processor time"),
        decode(path, limits=limits) as decoding,
    ):
        for _ in decoding:
            pass


def test_decoding_that_takes_too_much_memory_is_ended_with_that_reason():
    limits = DecodeLimits(memory_bytes=10_000)
    with pytest.raises(MediaUnreadable, match="memory"), decode(DEMO / "telephone.wav", limits=limits) as decoding:
        list(decoding)


def test_a_decoder_that_gives_nothing_is_ended(tmp_path):
    path = huge_wav(tmp_path / "a", 3_600)
    with decode(path, limits=DecodeLimits(stall_s=2.0)) as decoding:
        chunks = iter(decoding)
        next(chunks)
        (decoder,) = decoders()
        decoder.suspend()
        with pytest.raises(MediaUnreadable, match="for 2 s"):
            for _ in chunks:
                pass
    assert not decoder.is_running()


def test_a_slow_listener_is_no_stall(tmp_path):
    path = huge_wav(tmp_path / "a", 60)
    n_samples = 0
    with decode(path, limits=DecodeLimits(stall_s=3.0)) as decoding:
        for i, chunk in enumerate(decoding):
            n_samples += len(chunk)
            if i == 1:
                time.sleep(3.5)
    assert n_samples == 60 * RATE_HZ


def test_the_decoder_waits_for_its_listener(tmp_path):
    with decode(huge_wav(tmp_path / "a", 3_600)) as decoding:
        next(iter(decoding))
        (decoder,) = decoders()
        read_bytes = [0]

        def is_idle():
            read_bytes.append(decoder.io_counters().read_chars)
            time.sleep(0.1)
            return read_bytes[-1] == read_bytes[-2] and decoder.status() == psutil.STATUS_SLEEPING

        wait_until(is_idle)
        assert read_bytes[-1] < 120 * RATE_HZ * 2


def test_a_decoder_killed_from_outside_is_worth_another_try(tmp_path):
    with decode(huge_wav(tmp_path / "a", 3_600)) as decoding:
        chunks = iter(decoding)
        next(chunks)
        decoders()[0].kill()
        with pytest.raises(ChildDied, match="SIGKILL") as raised:
            for _ in chunks:
                pass
    assert raised.value.retryable


def test_a_decoder_that_crashes_blames_the_recording(tmp_path):
    with decode(huge_wav(tmp_path / "a", 3_600)) as decoding:
        chunks = iter(decoding)
        next(chunks)
        decoders()[0].send_signal(signal.SIGSEGV)
        with pytest.raises(MediaUnreadable, match="SIGSEGV"):
            for _ in chunks:
                pass


def test_leaving_early_ends_the_decoder_and_leaves_nothing_open(tmp_path):
    path = huge_wav(tmp_path / "a", 3_600)
    n_open = psutil.Process().num_fds()
    for _ in range(3):
        with decode(path) as decoding:
            next(iter(decoding))
    assert decoders() == []
    assert psutil.Process().num_fds() == n_open


def test_the_decoder_is_told_no_secrets(tmp_path, monkeypatch):
    monkeypatch.setenv("DATABASE_URL", "postgresql://user:secret@example.org/db")
    with decode(huge_wav(tmp_path / "a", 3_600)) as decoding:
        next(iter(decoding))
        assert "secret" not in str(decoders()[0].environ())


def test_the_decoder_dies_with_its_worker(tmp_path):
    path = huge_wav(tmp_path / "a", 3_600)
    code = f"""
        import sys, time
        from pathlib import Path
        from app.audio.decode import decode
        with decode(Path({str(path)!r})) as decoding:
            next(iter(decoding))
            print("decoding", flush=True)
            time.sleep(60)
    """
    worker = subprocess.Popen([sys.executable, "-c", textwrap.dedent(code)], cwd=ROOT, stdout=subprocess.PIPE)
    assert worker.stdout is not None
    assert worker.stdout.readline() == b"decoding\n"
    (decoder,) = decoders(worker.pid)
    worker.kill()
    worker.wait()
    worker.stdout.close()

    def is_gone():
        with suppress(psutil.NoSuchProcess):
            return not decoder.is_running() or decoder.status() == psutil.STATUS_ZOMBIE
        return True

    wait_until(is_gone)


def confined(code):
    """What is printed by code that runs in a process confined like the decoder, with the recording opened."""
    prelude = f"""
        import errno, os, socket
        from app.audio.confinement import confine
        confine(64 * 1024**2, 5)
        recording = os.open({str(DEMO / "garden.flac")!r}, os.O_RDONLY)
        def tried(action):
            try:
                action()
            except OSError as error:
                return errno.errorcode[error.errno]
            except MemoryError:
                return "MemoryError"
            return "done"
    """
    script = textwrap.dedent(prelude) + code
    return subprocess.run([sys.executable, "-c", script], cwd=ROOT, stdout=subprocess.PIPE, check=True).stdout.decode()


def test_a_confined_process_cannot_open_a_second_file():
    assert confined("print(tried(lambda: os.open('/etc/hostname', os.O_RDONLY)))") == "EMFILE\n"


def test_a_confined_process_cannot_reach_the_network():
    assert confined("print(tried(socket.socket))") == "EMFILE\n"


def test_a_confined_process_cannot_write_files(tmp_path):
    code = f"os.close(recording); file = os.open({str(tmp_path / 'x')!r}, os.O_CREAT | os.O_WRONLY)\n"
    assert confined(code + "print(tried(lambda: os.write(file, b'x')))") == "EFBIG\n"


def test_a_confined_process_cannot_take_much_memory():
    assert confined("print(tried(lambda: bytearray(10 * 1024**2)))") == "done\n"
    assert confined("print(tried(lambda: bytearray(128 * 1024**2)))") == "MemoryError\n"


@pytest.mark.parametrize("demuxer", ["concat", "hls", "dash", "rtsp", "sdp", "lavfi", "image2"])
def test_formats_that_open_other_files_are_refused_even_if_asked_for(tmp_path, demuxer):
    from app.audio.decoder_process import DecoderProcess

    (tmp_path / "list").write_text(f"ffconcat version 1.0\nfile '{DEMO / 'garden.flac'}'\n")
    request = Request(path=str(tmp_path / "list"), demuxer=demuxer, max_samples=RATE_HZ, memory_bytes=1024**3, cpu_s=5)
    process = DecoderProcess(request, stall_s=30.0)
    buffer = bytearray(1024)
    assert process.read_into(memoryview(buffer)) == 0
    with pytest.raises(ChildDied):
        process.report()
    process.close()


def test_a_recording_can_be_decoded_while_another_is(tmp_path):
    with decode(DEMO / "garden.flac") as one, decode(DEMO / "telephone.wav") as two:
        pairs = [(len(a), len(b)) for a, b in zip(one, two, strict=False)]
    assert len(pairs) == 10
    assert np.all(np.array(pairs) > 0)
