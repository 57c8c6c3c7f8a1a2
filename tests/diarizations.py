"""Diarizations for tests: the API in this process, recordings of speech, and what becomes of them."""

import io
import wave
from pathlib import Path
from typing import Any

import numpy as np

from app.models import Job
from app.services.jobs.halves import halves_of
from tests.http_api import Api
from tests.workers import Site, wait_for

CREATE = "/api/diarization/createJob"
RESULT = "/api/diarization/result"
SCRIPTED = {"diarizationEngine": "scripted", "diarizationModel": "halves"}


def ask(api: Api, audio: bytes | None = None, headers: Any = None, **fields: Any):
    """Ask for a diarization with the scripted engines; None takes a field away."""
    form = {name: value for name, value in {**SCRIPTED, **fields}.items() if value is not None}
    if audio is not None:
        form["audioFile"] = (io.BytesIO(audio), "talk.wav")
    return api.client.post(CREATE, data=form, headers=headers, content_type="multipart/form-data")


def diarize(api: Api, audio: bytes | None = None, **fields: Any) -> str:
    """The id of a diarization that was taken in."""
    answer = ask(api, audio, **fields)
    assert answer.status_code == 202, answer.text
    return str(answer.json["data"]["job_uuid"])


def result(api: Api, job_id: str) -> dict[str, Any]:
    """What the job's result says now."""
    answer = api.client.get(RESULT, query_string={"job_uuid": job_id})
    assert answer.status_code == 200, answer.text
    return answer.json["data"]


def halves(api: Api, job_id: str) -> list[Job]:
    """The rows of the hidden jobs beside a diarization."""
    with api.house.database.work() as work:
        return list(halves_of(work, api.house.row(job_id).id))


def ended(api: Api, site: Site, job_id: str, state: str = "COMPLETED") -> dict[str, Any]:
    """The result of the job once it has ended so."""

    def final() -> dict[str, Any] | None:
        found = result(api, job_id)
        return found if found["status"] in {"COMPLETED", "FAILED", "CANCELLED"} else None

    found = wait_for(final, 60)
    assert found["status"] == state, (found.get("error"), site.logs())
    return found


def told_apart(found: dict[str, Any]) -> bool:
    """Whether each word has the speaker of the half of the recording in which it was said."""
    middle_s = found["duration"] / 2
    words = [word for segment in found["segments"] for word in segment["words"]]
    assert words
    return all(
        word["speaker"] == ("SPEAKER_00" if word["start"] + word["end"] < 2 * middle_s else "SPEAKER_01")
        for word in words
    )


def n_diarized(site: Site) -> int:
    """How often the scripted engine has told speakers apart."""
    log = site.folder / "diarized.log"
    return len(log.read_text().splitlines()) if log.exists() else 0


def stereo(left: Path, right: Path, apart_s: float) -> bytes:
    """Two 16 kHz mono recordings as one call: the right channel speaks `apart_s` seconds after the left one ended."""
    first, second = _samples(left), _samples(right)
    n_between = round(apart_s * 16000)
    n_all = len(first) + n_between + len(second)
    both = np.zeros((n_all, 2), "<i2")
    both[: len(first), 0] = first
    both[len(first) + n_between :, 1] = second
    written = io.BytesIO()
    with wave.open(written, "wb") as file:
        file.setnchannels(2)
        file.setsampwidth(2)
        file.setframerate(16000)
        file.writeframes(both.tobytes())
    return written.getvalue()


def _samples(path: Path):
    with wave.open(str(path), "rb") as file:
        return np.frombuffer(file.readframes(file.getnframes()), "<i2")
