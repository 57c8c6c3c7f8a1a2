"""Jobs done in halves, against the real tables: whoever ends first, and whatever is lost in between."""

import threading
from collections.abc import Iterator
from dataclasses import dataclass
from uuid import UUID, uuid4

import pytest

from app.domain.diarization import Diarization
from app.domain.errors import ChildDied, EngineError, MediaUnreadable
from app.domain.job import JobOptions, Mode
from app.domain.speaker_turn import SpeakerTurn
from app.domain.transcript import Transcript
from app.models import Job, JobTranscript
from app.queues.hints import HintQueue
from app.services.diarization.joining import Joiner
from app.services.jobs.bell import Bell
from app.services.jobs.claimed import ClaimedJob
from app.services.jobs.endings import Endings, RetryPolicy
from app.services.jobs.halves import halves_of
from app.services.jobs.parking import NEVER, wake_forgotten
from app.services.jobs.reaper import Reaper
from app.services.jobs.views import options_to_dict, shown_state
from app.services.media.storage import StoredAudio
from tests.factories import House, make_house, make_transcript
from tests.http_api import WAV

FOUND = Diarization((SpeakerTurn(0.0, 1.0, "SPEAKER_00"), SpeakerTurn(1.0, 2.0, "SPEAKER_01")), 2.0, "scripted", "v1")


@dataclass
class Pair:
    """A diarization with its half, and what ends them."""

    house: House
    endings: Endings
    joiner: Joiner
    bell: Bell
    queues: dict[Mode, HintQueue]
    job_id: str = ""
    half_id: str = ""

    def add(self, **fields) -> None:
        options = options_to_dict(JobOptions())
        self.job_id = self.house.add_job(mode="diarization", options=options, **fields)
        self.half_id = self.house.add_job(parent_id=UUID(self.job_id), options=options, **fields)

    def row(self) -> Job:
        return self.house.row(self.job_id)

    def half(self) -> Job:
        return self.house.row(self.half_id)

    def claim(self) -> ClaimedJob:
        return self.house.claim(self.job_id)

    def claim_half(self) -> ClaimedJob:
        return self.house.claim(self.half_id)

    def hinted(self) -> str | None:
        return self.queues[Mode.DIARIZATION].take(0.1)

    def transcript(self) -> JobTranscript:
        with self.house.database.work() as work:
            return work.session.get_one(JobTranscript, UUID(self.job_id))

    def n_halves(self) -> int:
        with self.house.database.work() as work:
            return len(halves_of(work, UUID(self.job_id)))


@pytest.fixture
def pair(clean, postgres_url, redis_url) -> Iterator[Pair]:
    house = make_house(postgres_url, redis_url)
    queues = {mode: HintQueue(house.client, mode) for mode in Mode}
    bell = Bell(queues)
    endings = Endings(house.database, house.narrator, "test", RetryPolicy(max_attempts=2, max_crashes=2), bell)
    made = Pair(house, endings, Joiner(house.database, endings, house.narrator, bell), bell, queues)
    made.add()
    yield made
    house.engine.dispose()


def test_turns_that_are_there_first_are_kept_while_the_job_waits_for_its_words(pair: Pair):
    assert pair.joiner.keep(pair.claim(), FOUND)
    row = pair.row()
    assert (row.state, row.claim, shown_state(row)) == ("QUEUED", None, "PROCESSING")
    assert pair.house.claims.claim(pair.job_id, uuid4()) is None, "no worker may take it meanwhile"
    assert pair.house.claims.claim_oldest(Mode.DIARIZATION, uuid4()) is None
    assert pair.hinted() is None


def test_the_half_that_ends_last_wakes_the_job_which_is_then_joined(pair: Pair):
    pair.joiner.keep(pair.claim(), FOUND)
    pair.endings.complete(pair.claim_half(), make_transcript("hello there"))
    assert pair.hinted() == pair.job_id
    job = pair.claim()
    assert pair.joiner.is_known(job)
    assert pair.joiner.keep(job, None)
    assert (pair.row().state, pair.transcript().text, pair.n_halves()) == ("COMPLETED", "hello there", 0)
    assert pair.transcript().segments[0]["speaker"] == "SPEAKER_00"
    finals = [event for event in pair.house.events.read(pair.job_id, 0) if event.type == "completed"]
    assert len(finals) == 1


def test_words_that_are_there_first_are_joined_with_the_turns_at_once(pair: Pair):
    pair.endings.complete(pair.claim_half(), make_transcript("hello there"))
    assert pair.hinted() is None, "the job has still its own half to do"
    assert pair.joiner.keep(pair.claim(), FOUND)
    assert (pair.row().state, pair.transcript().text) == ("COMPLETED", "hello there")


@pytest.mark.parametrize("n", range(8))
def test_halves_that_end_at_the_same_moment_do_not_miss_each_other(pair: Pair, n):
    job, half = pair.claim(), pair.claim_half()
    ends = [
        lambda: pair.joiner.keep(job, FOUND),
        lambda: pair.endings.complete(half, make_transcript()),
    ]
    threads = [threading.Thread(target=end) for end in (ends if n % 2 else ends[::-1])]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if pair.row().state == "QUEUED":
        pair.joiner.keep(pair.claim(), None)
    assert pair.row().state == "COMPLETED"


def test_a_half_that_fails_for_good_fails_the_job_with_its_reason(pair: Pair):
    pair.joiner.keep(pair.claim(), FOUND)
    pair.endings.fail(pair.claim_half(), MediaUnreadable(reason="noise"))
    pair.joiner.keep(pair.claim(), None)
    row = pair.row()
    assert (row.state, row.error_code, row.error_params) == ("FAILED", "media_unreadable", {"reason": "noise"})


def test_a_half_that_is_tried_again_does_not_wake_the_job(pair: Pair):
    pair.joiner.keep(pair.claim(), FOUND)
    pair.endings.fail(pair.claim_half(), EngineError(reason="hiccup"))
    assert shown_state(pair.row()) == "PROCESSING"
    pair.house.change(pair.half_id, run_at=pair.row().created_at)
    pair.endings.crash(pair.claim_half(), ChildDied(reason="x"))
    assert pair.house.claims.claim(pair.job_id, uuid4()) is None


def test_a_half_that_is_poison_fails_the_job(pair: Pair):
    pair.joiner.keep(pair.claim(), FOUND)
    for _ in range(2):
        pair.endings.crash(pair.claim_half(), ChildDied(reason="x"))
    pair.joiner.keep(pair.claim(), None)
    assert (pair.row().state, pair.row().error_code) == ("FAILED", "poisoned")


def test_a_job_that_fails_stops_its_half(pair: Pair):
    running = pair.claim_half()
    pair.endings.fail(pair.claim(), MediaUnreadable(reason="noise"))
    assert pair.row().state == "FAILED"
    assert pair.house.claims.beat(running, 0.1, None).cancel_requested
    pair.endings.cancel(running)
    assert (pair.half().state, pair.row().state) == ("CANCELLED", "FAILED")


def test_a_run_that_lost_its_claim_keeps_no_turns(pair: Pair):
    job = pair.claim()
    pair.endings.crash(job, ChildDied(reason="x"))
    newer = pair.claim()
    assert pair.joiner.keep(job, FOUND) is False
    assert not pair.joiner.is_known(newer)


def test_keeping_can_be_asked_for_again_when_its_answer_was_lost(pair: Pair):
    pair.endings.complete(pair.claim_half(), make_transcript())
    job = pair.claim()
    assert pair.joiner.keep(job, FOUND)
    assert pair.joiner.keep(job, FOUND)
    assert pair.row().state == "COMPLETED"


def test_a_worker_that_dies_while_joining_loses_nothing(pair: Pair):
    pair.joiner.keep(pair.claim(), FOUND)
    pair.endings.complete(pair.claim_half(), make_transcript())
    pair.claim()
    clock = [0.0]
    reaper = Reaper(pair.house.database, pair.endings, Mode.DIARIZATION, lease_s=5, tick_s=60, clock=lambda: clock[0])
    reaper.look()
    clock[0] = 10.0
    assert reaper.look() == 1
    job = pair.claim()
    assert pair.joiner.is_known(job)
    pair.joiner.keep(job, None)
    assert pair.row().state == "COMPLETED"


def test_a_wake_up_that_was_forgotten_is_made_up_for(pair: Pair):
    pair.joiner.keep(pair.claim(), FOUND)
    half = pair.claim_half()
    # So a worker of the version before does it, which knows of no parents.
    old = Endings(pair.house.database, pair.house.narrator, "old", RetryPolicy())
    old._wake_parent = lambda *_: None
    old.complete(half, make_transcript())
    assert pair.house.claims.claim(pair.job_id, uuid4()) is None
    assert wake_forgotten(pair.house.database, pair.bell) == 1
    assert pair.hinted() == pair.job_id
    assert wake_forgotten(pair.house.database, pair.bell) == 0
    pair.joiner.keep(pair.claim(), None)
    assert pair.row().state == "COMPLETED"


def test_a_job_that_waits_for_a_running_half_is_not_woken(pair: Pair):
    pair.joiner.keep(pair.claim(), FOUND)
    pair.claim_half()
    assert wake_forgotten(pair.house.database, pair.bell) == 0


def test_a_recording_is_fetched_once_for_both_halves(pair: Pair):
    pair.add(audio_key=None, audio_url="https://example.com/a.wav")
    pair.house.change(pair.half_id, run_at=NEVER)
    assert pair.house.claims.claim(pair.half_id, uuid4()) is None
    job = pair.claim()
    assert pair.house.claims.fetched(job, StoredAudio("kept", "1" * 64, len(WAV), WAV))
    half = pair.claim_half()
    assert half.audio_key == "kept"
    pair.endings.complete(half, make_transcript())
    pair.joiner.keep(job, FOUND)
    assert pair.row().state == "COMPLETED"


def test_silence_gives_a_transcript_without_speakers(pair: Pair):
    pair.endings.complete(pair.claim_half(), Transcript((), (), "en", 2.0, "scripted", "v1"))
    pair.joiner.keep(pair.claim(), Diarization((), 2.0, "scripted", "v1", ("no_speech",)))
    stored = pair.transcript()
    assert (stored.speakers, stored.segments, stored.warnings) == ([], [], ["no_speech"])


def test_a_job_that_was_made_without_its_half_gets_one_when_it_runs(pair: Pair):
    pair.job_id = pair.house.add_job(mode="diarization", options=options_to_dict(JobOptions(language="en")))
    job = pair.claim()
    assert not pair.joiner.is_known(job)
    with pair.house.database.work() as work:
        (half,) = halves_of(work, UUID(pair.job_id))
    assert pair.queues[Mode.BATCH].take(0.1) == str(half.id)
    assert (half.audio_key, half.options["language"]) == (pair.row().audio_key, "en")
    assert not pair.joiner.is_known(job)
    assert pair.n_halves() == 1
