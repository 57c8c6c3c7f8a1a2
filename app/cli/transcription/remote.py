"""Transcribes in a running service, through its HTTP API."""

import time
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from uuid import uuid4

import httpx

from app.cli.transcription.asked import Asked, FileFailed, ServiceUnreachable, WrongRequest
from app.cli.transcription.bar import Bar
from app.domain.job import JobOptions

BATCH = "/api/batchTranscription"
FINAL = {"COMPLETED", "FAILED", "CANCELLED"}
FIRST_POLL_S, SLOWEST_POLL_S = 0.2, 2.0
OUTAGE_S = 60.0
"""How long a service that took a job may be away: it is restarted in less, and the job is safe."""
BUSY_TRIES = 5
TIMEOUT = httpx.Timeout(30.0, read=120.0, connect=5.0)


class RemoteService:
    """Sends files, waits, fetches transcripts; cancels the job it waits for when interrupted."""

    def __init__(self, asked: Asked, url: str) -> None:
        self._asked = asked
        self._url = url.rstrip("/")
        self._client = httpx.Client(base_url=self._url, timeout=TIMEOUT, headers={"Accept-Language": "en"})

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._client.close()

    def transcribe(self, path: Path, bar: Bar) -> str:
        """See `Transcribes`."""
        job_id = self._submit(path)
        try:
            self._wait(job_id, bar)
        except KeyboardInterrupt:
            self._cancel(job_id)
            raise
        wanted = {"format": self._asked.format_name}
        return self._checked(self._patiently("GET", f"/api/jobs/{job_id}/transcript", params=wanted)).text

    def _submit(self, path: Path) -> str:
        """Send the file; sent again under the same key if the service is busy, so that there is one job."""
        headers = {"Idempotency-Key": str(uuid4())}
        for _ in range(BUSY_TRIES):
            with path.open("rb") as recording:
                answer = self._request(
                    "POST",
                    f"{BATCH}/createJob",
                    files={"audioFile": (path.name, recording)},
                    data=_fields(self._asked.options),
                    headers=headers,
                )
            if answer.status_code not in {429, 503}:
                break
            time.sleep(_retry_after_s(answer))
        return str(self._data(answer)["job_uuid"])

    def _wait(self, job_id: str, bar: Bar) -> None:
        pause_s = FIRST_POLL_S
        while True:
            result = self._data(self._patiently("GET", f"{BATCH}/result", params={"job_uuid": job_id}))
            bar.at(float(result.get("progress") or 0))
            if result["status"] in FINAL:
                break
            time.sleep(pause_s)
            pause_s = min(pause_s * 1.3, SLOWEST_POLL_S)
        if result["status"] != "COMPLETED":
            raise FileFailed((result.get("error") or {}).get("message") or "the job was cancelled")

    def _cancel(self, job_id: str) -> None:
        try:
            self._client.post(f"/api/jobs/{job_id}/cancel", timeout=5.0)
        except httpx.TransportError as error:
            raise ServiceUnreachable(f"{self._url}: the job {job_id} could not be cancelled") from error

    def _patiently(self, method: str, path: str, **what: Any) -> httpx.Response:
        """The answer, waiting for a service that is away for a moment."""
        deadline_s = time.monotonic() + OUTAGE_S
        while True:
            try:
                answer = self._request(method, path, **what)
                if answer.status_code not in {429, 503} or time.monotonic() > deadline_s:
                    return answer
                time.sleep(_retry_after_s(answer))
            except ServiceUnreachable:
                if time.monotonic() > deadline_s:
                    raise
                time.sleep(SLOWEST_POLL_S)

    def _request(self, method: str, path: str, **what: Any) -> httpx.Response:
        try:
            return self._client.request(method, path, **what)
        except httpx.HTTPError as error:
            raise ServiceUnreachable(f"{self._url}: {error or type(error).__name__}") from error

    def _data(self, answer: httpx.Response) -> dict[str, Any]:
        try:
            data: dict[str, Any] = self._checked(answer).json()["data"]
        except (ValueError, KeyError, TypeError) as error:
            raise ServiceUnreachable(f"{self._url} does not answer as this service does") from error
        return data

    def _checked(self, answer: httpx.Response) -> httpx.Response:
        """The answer, if it is a good one; options refused for this file would be for all."""
        if answer.is_success:
            return answer
        envelope = _envelope(answer)
        fields = envelope.get("errors") or {}
        if answer.status_code == httpx.codes.UNPROCESSABLE_ENTITY and fields:
            raise WrongRequest(" ".join(f"{name}: {' '.join(said)}" for name, said in fields.items()))
        raise FileFailed(envelope.get("message") or f"the service answered {answer.status_code}")


def _envelope(answer: httpx.Response) -> dict[str, Any]:
    try:
        told = answer.json()
    except ValueError:
        return {}
    return told if isinstance(told, dict) else {}


def _fields(options: JobOptions) -> dict[str, str]:
    """The form fields of the native API; what was not asked for is left to the service."""
    fields = {
        "language": options.language,
        "engine": options.engine,
        "model": options.model,
        "task": options.task,
        "wordTimestamps": "true" if options.word_timestamps else "false",
        "trimSilence": "true" if options.trim_silence else "false",
    }
    return {name: value for name, value in fields.items() if value is not None}


def _retry_after_s(answer: httpx.Response) -> float:
    asked = answer.headers.get("Retry-After", "")
    return min(float(asked), 30.0) if asked.isdigit() else SLOWEST_POLL_S
