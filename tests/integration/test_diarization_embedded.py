"""Recordings of two synthetic voices through the service as it comes, with no weights fetched."""

import csv
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from app.audio.decode import decode
from app.audio.sound import RATE_HZ
from tests.diarizations import diarize, ended
from tests.http_api import Api, api_behind
from tests.pipelines import write_wav
from tests.workers import ROOT, Site

DEMO = ROOT / "assets" / "demo"
AS_SET = {"DEFAULT_ENGINE": "pocketsphinx", "DEFAULT_DIARIZER": "auto"}
AS_IT_COMES = {"diarizationEngine": None, "diarizationModel": None}


@pytest.fixture(scope="module")
def site(postgres_url, redis_url, tmp_path_factory) -> Iterator[Site]:
    site = Site(postgres_url, redis_url, tmp_path_factory.mktemp("site"), AS_SET)
    with site.worker(mode="batch"), site.worker(mode="diarization"):
        yield site


@pytest.fixture
def api(clean, site) -> Iterator[Api]:
    with api_behind(site.postgres_url, site.redis_url, site.folder, **AS_SET) as api:
        yield api


def opening(recording: Path, seconds: float, folder: Path) -> bytes:
    """The beginning of a recording."""
    with decode(recording) as decoding:
        pcm = np.concatenate(list(decoding))
    return write_wav(folder / "opening.wav", pcm[: int(seconds * RATE_HZ)]).read_bytes()


def lines(recording: str) -> list[dict[str, str]]:
    """What is said in a demo recording: when, by whom, on which channel."""
    with Path(DEMO / "reference.tsv").open(encoding="utf-8") as file:
        return [row for row in csv.DictReader(file, delimiter="\t") if row["recording"] == recording]


def said_by(recording: str, word: dict) -> str:
    """Whose line a word lies in, or lies next to."""
    middle_s = (word["start"] + word["end"]) / 2
    return min(lines(recording), key=lambda row: abs(middle_s - (float(row["start_s"]) + float(row["end_s"])) / 2))[
        "speaker"
    ]


def labels_by_voice(recording: str, found: dict) -> dict[str, set[str]]:
    voices: dict[str, set[str]] = {}
    for word in (word for segment in found["segments"] for word in segment["words"]):
        voices.setdefault(said_by(recording, word), set()).add(word["speaker"])
    return voices


@pytest.mark.long
def test_two_voices_in_one_recording_are_told_apart_word_by_word(api, site, tmp_path):
    job_id = diarize(api, opening(DEMO / "meeting.flac", 16.6, tmp_path), **AS_IT_COMES)
    found = ended(api, site, job_id)
    assert labels_by_voice("meeting.flac", found) == {"rms": {"SPEAKER_00"}, "slt": {"SPEAKER_01"}}
    assert "welcome to the meeting" in found["transcription"]
    options = api.client.get(f"/api/jobs/{job_id}").json["data"]["options"]
    assert options["diarizationEngine"] == "embedded"


def test_the_two_channels_of_a_call_are_told_apart(api, site):
    call = (DEMO / "telephone.wav").read_bytes()
    found = ended(api, site, diarize(api, call, channels="separate", **AS_IT_COMES))
    assert labels_by_voice("telephone.wav", found) == {"slt": {"SPEAKER_00"}, "awb": {"SPEAKER_01"}}
    assert [turn["speaker"] for turn in found["turns"]] == ["SPEAKER_00", "SPEAKER_01"] * 2
