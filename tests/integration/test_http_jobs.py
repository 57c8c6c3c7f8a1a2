"""The life of a job over HTTP: list, search, change, stop, again, take away, hear, remove."""

import pytest
from sqlalchemy import event

from app.domain.peaks import Peaks
from app.domain.transcript import Segment, Speaker, Transcript, Word
from tests.factories import make_transcript
from tests.http_api import NOTHING, WAV, Api, api_behind


@pytest.fixture(scope="module")
def behind(postgres_url, redis_url, tmp_path_factory):
    with api_behind(postgres_url, redis_url, tmp_path_factory.mktemp("jobs")) as api:
        yield api


@pytest.fixture
def api(behind: Api, clean) -> Api:
    for path in behind.files():
        path.unlink()
    return behind


def listed(api: Api, **query) -> list[str]:
    answer = api.client.get("/api/jobs", query_string=query)
    assert answer.status_code == 200, answer.text
    return [job["job_id"] for job in answer.json["data"]["jobs"]]


def completed(api: Api, transcript: Transcript | None = None, **what) -> str:
    job = api.house.claim(api.created(**what))
    api.house.endings.complete(job, transcript or make_transcript())
    return job.id


def test_the_newest_job_comes_first(api: Api):
    first, second = api.created(), api.created()
    assert listed(api) == [second, first]


def test_pages_follow_each_other_without_gap_or_repetition(api: Api):
    made = [api.created() for _ in range(5)]
    seen, cursor = [], ""
    while cursor is not None:
        page = api.client.get("/api/jobs", query_string={"limit": 2, "cursor": cursor}).json["data"]
        seen += [job["job_id"] for job in page["jobs"]]
        cursor = page["next_cursor"]
    assert seen == made[::-1]


def test_jobs_are_found_by_state_mode_and_words(api: Api):
    waiting, done = api.created(), completed(api, make_transcript("the quick brown fox"))
    assert listed(api, state="QUEUED") == [waiting]
    assert listed(api, state="COMPLETED", mode="batch") == [done]
    assert listed(api, mode="diarization") == []
    assert listed(api, q='"brown fox" -cat') == [done]
    assert listed(api, q="wolf") == []


def test_a_session_and_the_job_that_refines_it_name_each_other(api: Api):
    session = api.house.add_job(mode="streaming")
    refining = api.house.add_job(source_id=session)
    assert shown(api, session)["refined_by"] == [refining]
    assert shown(api, refining)["source_id"] == session
    assert "source_id" not in shown(api, session)
    told = {job["job_id"]: job for job in api.client.get("/api/jobs").json["data"]["jobs"]}
    assert told[session] == shown(api, session)
    job = api.client.get("/openapi.json").json["components"]["schemas"]["Job"]["properties"]
    assert {"refined_by", "source_id"} <= job.keys()


def test_a_page_of_sessions_asks_for_those_that_refine_them_once(api: Api):
    sessions = [api.house.add_job(mode="streaming") for _ in range(5)]
    refining = {session: [api.house.add_job(source_id=session) for _ in range(2)] for session in sessions}
    few, many = statements(api, limit=2), statements(api, mode="streaming", limit=20)
    told = api.client.get("/api/jobs", query_string={"mode": "streaming"}).json["data"]["jobs"]
    assert {job["job_id"]: job["refined_by"] for job in told} == refining
    assert many == few + 1, "one more than for a page without sessions"


def statements(api: Api, **query) -> int:
    """How many statements a list takes."""
    with api.client.application.app_context():
        engine = api.client.application.extensions["sqlalchemy"].engine
    seen: list[str] = []

    def note(_connection, _cursor, statement: str, *_: object) -> None:
        seen.append(statement)

    event.listen(engine, "before_cursor_execute", note)
    try:
        listed(api, **query)
    finally:
        event.remove(engine, "before_cursor_execute", note)
    return len(seen)


def shown(api: Api, job_id: str) -> dict:
    return api.client.get(f"/api/jobs/{job_id}").json["data"]


def test_a_job_tells_what_was_asked_and_how_it_stands(api: Api):
    job_id = api.created(filename="café.wav", priority="low", metadata='{"a": 1}', language="en")
    told = api.client.get(f"/api/jobs/{job_id}").json["data"]
    expected = {
        "job_id": job_id,
        "status": "QUEUED",
        "mode": "batch",
        "position": 1,
        "priority": "low",
        "filename": "café.wav",
        "content_type": "audio/wav",
        "size_bytes": len(WAV),
        "language": "en",
        "metadata": {"a": 1},
    }
    assert {name: told[name] for name in expected} == expected
    assert told["options"]["wordTimestamps"] is True


def test_the_first_segment_of_the_path_is_known_in_any_case(api: Api):
    assert api.client.get("/api/Jobs").status_code == 200


def test_metadata_is_replaced(api: Api):
    job_id = api.created(metadata='{"a": 1}')
    answer = api.client.patch(f"/api/jobs/{job_id}", json={"metadata": {"b": [2]}})
    assert (answer.status_code, answer.json["data"]["metadata"]) == (200, {"b": [2]})
    assert api.client.get(f"/api/jobs/{job_id}").json["data"]["metadata"] == {"b": [2]}


def test_a_speaker_is_given_a_name_and_loses_it(api: Api):
    heard = Transcript((Segment(0, 0, 1, "hi", None, "SPEAKER_00"),), (Speaker("SPEAKER_00", None, 1.0),), "en", 1.0)
    job_id = completed(api, heard)

    def name_after(name: str | None) -> str | None:
        assert api.client.patch(f"/api/jobs/{job_id}", json={"speakers": {"SPEAKER_00": name}}).status_code == 200
        result = api.client.get(f"/api/batchTranscription/result?job_uuid={job_id}").json["data"]
        return result["speakers"][0]["name"]

    assert name_after("Ann") == "Ann"
    assert name_after(None) is None


def test_an_unknown_speaker_is_named_in_the_refusal(api: Api):
    answer = api.client.patch(f"/api/jobs/{completed(api)}", json={"speakers": {"SPEAKER_09": "Ann"}})
    assert answer.status_code == 422
    assert "SPEAKER_09" in answer.json["errors"]["speakers"][0]


def test_a_waiting_job_is_cancelled_at_once_and_can_be_done_again(api: Api):
    job_id = api.created()
    assert api.client.post(f"/api/jobs/{job_id}/cancel").json["data"]["status"] == "CANCELLED"
    assert api.house.queue.position(job_id) is None
    assert api.client.post(f"/api/jobs/{job_id}/retry").json["data"]["status"] == "QUEUED"
    assert api.house.queue.position(job_id) == 1


def test_a_running_job_is_asked_to_stop(api: Api):
    job = api.house.claim(api.created())
    told = api.client.post(f"/api/jobs/{job.id}/cancel").json["data"]
    assert (told["status"], told["cancel_requested"]) == ("PROCESSING", True)


@pytest.mark.parametrize("action", ["cancel", "retry"])
def test_what_is_completed_is_neither_stopped_nor_done_again(api: Api, action):
    answer = api.client.post(f"/api/jobs/{completed(api)}/{action}", headers={"Accept-Language": "en"})
    assert (answer.status_code, answer.json["code"]) == (409, "conflict")
    assert "COMPLETED" in answer.json["message"]


def test_a_removed_job_leaves_nothing(api: Api):
    job_id = api.created()
    assert api.client.delete(f"/api/jobs/{job_id}").json["data"] == {"job_id": job_id, "deleted": True}
    left = api.left_over()
    assert {**left, "redis": [key for key in left["redis"] if not key.endswith(b":tags")]} == NOTHING
    assert api.client.get(f"/api/jobs/{job_id}").status_code == 404


@pytest.mark.parametrize(
    ("name", "content_type", "begins"),
    [
        ("txt", "text/plain; charset=utf-8", "hello there"),
        ("json", "application/json", "{"),
        ("srt", "application/x-subrip; charset=utf-8", "1\n"),
        ("vtt", "text/vtt; charset=utf-8", "WEBVTT"),
        ("rttm", "text/plain; charset=utf-8", ""),
        ("ctm", "text/plain; charset=utf-8", ""),
        ("md", "text/markdown; charset=utf-8", "#"),
    ],
)
def test_a_transcript_is_taken_away_as_a_file(api: Api, name, content_type, begins):
    job_id = completed(api, filename="réunion 1.wav")
    answer = api.client.get(f"/api/jobs/{job_id}/transcript?format={name}")
    assert (answer.status_code, answer.headers["Content-Type"]) == (200, content_type)
    assert answer.text.startswith(begins)
    assert f"filename*=UTF-8''r%C3%A9union%201.{name}" in answer.headers["Content-Disposition"]


def test_a_transcript_that_is_not_there_yet_is_a_conflict(api: Api):
    answer = api.client.get(f"/api/jobs/{api.created()}/transcript")
    assert (answer.status_code, answer.json["code"]) == (409, "conflict")


class TestRecording:
    """GET /api/jobs/{id}/audio."""

    def get(self, api: Api, method: str = "GET", **headers: str):
        return api.client.open(f"/api/jobs/{api.created(filename='a b.wav')}/audio", method=method, headers=headers)

    def test_it_is_given_back_as_it_came(self, api: Api):
        answer = self.get(api)
        assert (answer.status_code, answer.data) == (200, WAV)
        assert answer.headers["Content-Type"] == "audio/wav"
        assert answer.headers["Accept-Ranges"] == "bytes"
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert "sandbox" in answer.headers["Content-Security-Policy"]
        assert answer.headers["Content-Disposition"].startswith('inline; filename="a b.wav"')

    @pytest.mark.parametrize(
        ("asked", "start", "stop"),
        [("bytes=0-0", 0, 1), ("bytes=10-19", 10, 20), ("bytes=32000-", 32000, len(WAV)), ("bytes=-7", -7, len(WAV)),
         ("bytes=5-999999", 5, len(WAV))],
    )  # fmt: skip
    def test_a_range_is_given(self, api: Api, asked, start, stop):
        answer = self.get(api, Range=asked)
        assert (answer.status_code, answer.data) == (206, WAV[start:stop])
        first = start % len(WAV)
        assert answer.headers["Content-Range"] == f"bytes {first}-{stop - 1}/{len(WAV)}"
        assert answer.content_length == len(answer.data)

    def test_a_range_behind_the_end_is_refused_with_the_length(self, api: Api):
        answer = self.get(api, Range="bytes=999999-")
        assert (answer.status_code, answer.json["code"]) == (416, "range_not_satisfiable")
        assert answer.headers["Content-Range"] == f"bytes */{len(WAV)}"

    @pytest.mark.parametrize("asked", ["bytes=0-1,4-5", "lines=1-2", "nonsense"])
    def test_a_range_that_is_not_served_is_ignored(self, api: Api, asked):
        answer = self.get(api, Range=asked)
        assert (answer.status_code, answer.data) == (200, WAV)

    def test_a_range_of_something_else_is_ignored(self, api: Api):
        answer = self.get(api, **{"Range": "bytes=0-9", "If-Range": '"other"'})
        assert (answer.status_code, answer.data) == (200, WAV)

    def test_a_range_of_the_same_thing_is_given(self, api: Api):
        etag = self.get(api).headers["ETag"]
        assert self.get(api, **{"Range": "bytes=0-9", "If-Range": etag}).status_code == 206

    def test_what_the_client_has_already_is_not_sent_again(self, api: Api):
        etag = self.get(api).headers["ETag"]
        answer = self.get(api, **{"If-None-Match": etag})
        assert (answer.status_code, answer.data) == (304, b"")

    def test_its_size_can_be_asked_for_alone(self, api: Api):
        answer = self.get(api, method="HEAD")
        assert (answer.status_code, answer.content_length, answer.data) == (200, len(WAV), b"")

    def test_one_that_is_gone_is_not_found(self, api: Api):
        job_id = api.created()
        for path in api.files():
            path.unlink()
        answer = api.client.get(f"/api/jobs/{job_id}/audio")
        assert (answer.status_code, answer.json["message"]) == (404, "Enregistrement introuvable avec cet identifiant.")

    def test_one_that_is_not_fetched_yet_is_not_found(self, api: Api):
        form = {"audioUrl": "https://example.org/a.wav"}
        created = api.client.post(
            "/api/batchTranscription/createJob", data=form, content_type="multipart/form-data"
        ).json["data"]
        assert api.client.get(f"/api/jobs/{created['job_uuid']}/audio").status_code == 404


def spoken(*texts: str) -> Transcript:
    words = [tuple(Word(word, i + 0.1, i + 0.9, 0.8) for word in text.split()) for i, text in enumerate(texts)]
    return Transcript(
        tuple(Segment(i, i, i + 1, text, 0.8, None, words[i]) for i, text in enumerate(texts)), (), "en", 9
    )


def file_of(api: Api, job_id: str, **query: str) -> str:
    return api.client.get(f"/api/jobs/{job_id}/transcript", query_string=query).text


def correct(api: Api, job_id: str, texts: dict):
    return api.client.patch(f"/api/jobs/{job_id}", json={"segments": texts})


def edits_of(api: Api, job_id: str) -> list[tuple[str, str]]:
    edits = api.client.get(f"/api/jobs/{job_id}/edits").json["data"]["edits"]
    return [(edit["segment"]["text"], edit["machine_text"]) for edit in edits]


def test_a_corrected_text_is_in_files_results_and_the_search_beside_the_machines(api: Api):
    job_id = completed(api, spoken("the quick", "brown fax"))
    assert correct(api, job_id, {"1": "brown fox"}).status_code == 200
    assert file_of(api, job_id, format="txt") == "the quick\nbrown fox\n"
    assert "brown fox" in file_of(api, job_id, format="srt")
    assert file_of(api, job_id, format="txt", version="machine") == "the quick\nbrown fax\n"
    result = api.client.get("/api/batchTranscription/result", query_string={"job_uuid": job_id}).json["data"]
    assert [word["word"] for word in result["segments"][1]["words"]] == ["brown", "fox"]
    assert edits_of(api, job_id) == [("brown fox", "brown fax")]
    assert (listed(api, q="fox"), listed(api, q="fax")) == ([job_id], [])


@pytest.mark.parametrize("given_back", [None, "brown fax"], ids=["null", "the machine's own text"])
def test_a_correction_is_taken_back(api: Api, given_back):
    job_id = completed(api, spoken("the quick", "brown fax"))
    correct(api, job_id, {"0": "a quick", "1": "brown fox"})
    correct(api, job_id, {"1": given_back})
    assert edits_of(api, job_id) == [("a quick", "the quick")]
    assert file_of(api, job_id) == "a quick\nbrown fax\n"


@pytest.mark.parametrize("texts", [{"7": "x"}, {"x": "x"}, {"0": 5}, {"0": "x" * 10_001}])
def test_a_correction_that_fits_nothing_is_refused_whole(api: Api, texts):
    job_id = completed(api, spoken("one", "two"))
    assert correct(api, job_id, {"1": "too", **texts}).status_code == 422
    assert file_of(api, job_id) == "one\ntwo\n"


def test_what_is_not_transcribed_yet_cannot_be_corrected(api: Api):
    assert correct(api, api.created(), {"0": "x"}).status_code == 422


def test_an_outline_is_given_to_every_job_of_its_recording(api: Api):
    job = api.house.claim(api.created())
    assert api.client.get(f"/api/jobs/{job.id}/peaks").status_code == 404
    assert api.house.claims.store_peaks(job, Peaks(0.01, b"\x81\x7f\x00\x01"))
    again = api.house.add_job(audio_key=job.audio_key)
    for job_id in (job.id, again):
        drawn = api.client.get(f"/api/jobs/{job_id}/peaks").json["data"]
        assert drawn == {"bucket_seconds": 0.01, "buckets": 2, "peaks": "gX8AAQ=="}


def test_a_job_without_a_recording_is_not_given_anothers_outline(api: Api):
    job = api.house.claim(api.created())
    api.house.claims.store_peaks(job, Peaks(0.01, b"\x81\x7f"))
    api.house.endings.complete(job, make_transcript())
    api.house.change(job.id, audio_key=None)
    other = completed(api)
    api.house.change(other, audio_key=None)
    assert api.client.get(f"/api/jobs/{other}/peaks").status_code == 404


def test_an_outline_is_not_taken_from_a_run_that_lost_its_job(api: Api):
    job = api.house.claim(api.created())
    api.house.endings.release(job)
    assert not api.house.claims.store_peaks(job, Peaks(0.01, b"\x81\x7f"))
    assert api.client.get(f"/api/jobs/{job.id}/peaks").status_code == 404


def test_the_operations_tell_figures_and_nobodys_jobs(api: Api):
    job_id = api.created()
    told = api.client.get("/api/operations")
    queue = next(one for one in told.json["data"]["queues"] if one["mode"] == "batch")
    assert (queue["waiting"], told.json["data"]["database"]) == (1, True)
    assert job_id not in told.text
