"""What an API process costs: memory, time to be ready, and what a large upload adds."""

import argparse
import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator

import httpx
import psutil

from benchmarks.report import heading, percentile, row
from benchmarks.service import ROOT, Service, running

MIB = 1024 * 1024
ML = ("torch", "whisper", "faster_whisper", "ctranslate2", "vosk", "pocketsphinx", "onnxruntime", "pyannote", "av")


def main() -> None:
    """Measure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--upload-mib", type=int, default=2048)
    asked = parser.parse_args()
    heading("An API process")
    print("| figure | measured | target |\n|---|---|---|")
    row("ML packages imported", ", ".join(imported()) or "none", "none")
    with running(API_PROCESSES="1", MAX_UPLOAD_BYTES=str(4096 * MIB)) as service:
        measure_start(service)
        measure_upload(service, asked.upload_mib)


def imported() -> list[str]:
    """The ML packages that building the API imports."""
    code = "import json, sys; from app.api import build_api; print(json.dumps(sorted(sys.modules)))"
    out = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, check=True, text=True)
    return sorted(set(ML) & set(json.loads(out.stdout)))


def measure_upload(service: Service, n_mib: int) -> None:
    """Memory before an upload, and the most while it lasts."""
    for _ in range(20):
        service.client.get("/health")
    (process,) = api_processes(service)
    before = process.memory_info().rss
    row("resident memory", f"{before / MIB:.0f} MB", "≤ 120 MB")
    peak, done = [before], threading.Event()

    def look() -> None:
        while not done.wait(0.02):
            peak.append(process.memory_info().rss)

    watcher = threading.Thread(target=look)
    watcher.start()
    started = time.monotonic()
    service.client.post(
        "/api/batchTranscription/createJob",
        content=multipart(n_mib),
        headers={"Content-Type": "multipart/form-data; boundary=xxx"},
        timeout=600,
    ).raise_for_status()
    seconds = time.monotonic() - started
    done.set()
    watcher.join()
    row(f"added by an upload of {n_mib} MiB", f"{(max(peak) - before) / MIB:.0f} MB", "≤ 40 MB")
    row("that upload took", f"{seconds:.1f} s ({n_mib / seconds:.0f} MiB/s)")


def multipart(n_mib: int) -> Iterator[bytes]:
    """A form with a WAV file of so many MiB, made as it is sent."""
    yield b'--xxx\r\nContent-Disposition: form-data; name="audioFile"; filename="big.wav"\r\n\r\n'
    yield b"RIFF\xff\xff\xff\xffWAVEfmt \x10\0\0\0\1\0\1\0\x80\x3e\0\0\0\x7d\0\0\2\0\x10\0data\xff\xff\xff\xff"
    block = bytes(MIB)
    for _ in range(n_mib):
        yield block
    yield b"\r\n--xxx--\r\n"


def api_processes(service: Service) -> list[psutil.Process]:
    """The processes that answer requests: those without the master that started them."""
    gunicorn = service.processes("run_api.py") or service.processes("gunicorn")
    parents = {process.ppid() for process in gunicorn}
    return [process for process in gunicorn if process.pid not in parents]


def measure_start(service: Service) -> None:
    """Seconds from starting the API to its first answer, beside the service whose servers it uses."""
    (worker,) = service.processes("run_worker.py")[:1]
    environ = {**worker.environ(), "API_PROCESSES": "1"}
    times = [start_once({**environ, "PORT": str(18_200 + i)}) for i in range(7)]
    row("ready after", f"{percentile(times, 0.5):.2f} s", "≤ 1.5 s")


def start_once(environ: dict[str, str]) -> float:
    """Start the API, time its first answer, end it."""
    started = time.monotonic()
    process = subprocess.Popen([sys.executable, "run_api.py"], cwd=ROOT, env=environ, stderr=subprocess.DEVNULL)
    try:
        while True:
            try:
                httpx.get(f"http://127.0.0.1:{environ['PORT']}/health/live", timeout=1).raise_for_status()
                return time.monotonic() - started
            except httpx.HTTPError:
                time.sleep(0.01)
    finally:
        process.terminate()
        process.wait(10)


if __name__ == "__main__":
    os.chdir(ROOT)
    main()
