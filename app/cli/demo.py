"""The demo: recordings go through the running service as a client's would."""

import sys
import time
from pathlib import Path
from typing import Any

import httpx

from app.cli.recordings import FOLDER, demo_files

FINAL = {"COMPLETED", "FAILED", "CANCELLED"}
POLL_S = 0.5
PATIENCE_S = 600.0


def run_demo(url: str) -> int:
    """Transcribe the recordings with the service at `url` and print what was said; the exit code."""
    files = demo_files()
    if not files:
        print(f"There are no recordings in {FOLDER}.", file=sys.stderr)
        return 1
    with httpx.Client(base_url=f"{url}/api/batchTranscription", timeout=60) as client:
        return max(_show(client, path) for path in files)


def _show(client: httpx.Client, path: Path) -> int:
    """Print one recording's transcript and how long it took; 0 if it was transcribed."""
    begun_s = time.monotonic()
    result = _transcribed(client, path)
    took_s = time.monotonic() - begun_s
    print(f"\n{path.name}: {_summary(result, took_s)}")
    print(f"  {_text(result)}", flush=True)
    return 0 if result["status"] == "COMPLETED" else 1


def _transcribed(client: httpx.Client, path: Path) -> dict[str, Any]:
    created = _submitted(client, path)
    if created.is_error:
        return {"status": "FAILED", "error": created.json()}
    job_uuid = created.json()["data"]["job_uuid"]
    deadline_s = time.monotonic() + PATIENCE_S
    while True:
        result: dict[str, Any] = client.get("/result", params={"job_uuid": job_uuid}).raise_for_status().json()["data"]
        if result["status"] in FINAL or time.monotonic() > deadline_s:
            return result
        time.sleep(POLL_S)


def _submitted(client: httpx.Client, path: Path) -> httpx.Response:
    language, dash, _rest = path.stem.partition("-")
    fields = {"language": language} if dash and len(language) == len("en") else {}
    with path.open("rb") as recording:
        return client.post("/createJob", files={"audioFile": (path.name, recording)}, data=fields)


def _summary(result: dict[str, Any], took_s: float) -> str:
    if result["status"] != "COMPLETED":
        return f"{result['status']} after {took_s:.1f} s"
    return f"{result['duration']:.1f} s of sound in {took_s:.1f} s ({result['engine']}, {result['language']})"


def _text(result: dict[str, Any]) -> str:
    error = result.get("error") or {}
    return str(result.get("transcription") or error.get("message") or "(nothing was said)")
