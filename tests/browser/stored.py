"""Jobs put behind a running service's page: finished ones of any length, without waiting for an engine."""

import base64
import hashlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID, uuid4

from app.domain.states import JobState
from app.domain.transcript import Segment, Speaker, Transcript, Word, segment_to_dict
from app.embedded.running import server_urls
from app.models import JobPeaks, JobTranscript
from tests.factories import House, make_house

N_WORDS_A_SEGMENT = 15
WORD_S = 0.36


@dataclass
class Store:
    """The tables and the storage of a service."""

    house: House
    folder: Path

    @staticmethod
    @contextmanager
    def at(var_dir: Path) -> Iterator["Store"]:
        house = make_house(*server_urls(None, None, var_dir))
        yield Store(house, var_dir / "audio")
        house.engine.dispose()

    def put(
        self,
        transcript: Transcript,
        recording: Path | None = None,
        filename: str = "talk.flac",
        *,
        is_drawn: bool = True,
    ) -> str:
        """A completed job; without a recording, it is no longer kept."""
        job_id = self.house.add_job(
            state=JobState.COMPLETED.value,
            finished_at=datetime.now(UTC),
            filename=filename,
            audio_key=self._stored(recording) if recording else None,
            duration_s=transcript.duration_s,
            language="en",
            engine="pocketsphinx",
            **(facts_of(recording) if recording else {}),
        )
        with self.house.database.work() as work:
            work.session.add(_row(UUID(job_id), transcript))
            if is_drawn:
                work.session.add(JobPeaks(job_id=UUID(job_id), bucket_s=0.5, pairs=base64.b64decode("wEDgIIF/") * 1000))
        return job_id

    def _stored(self, recording: Path) -> str:
        key = uuid4().hex
        kept = self.folder / key[:2] / key
        kept.parent.mkdir(parents=True, exist_ok=True)
        kept.write_bytes(recording.read_bytes())
        return key


def facts_of(recording: Path) -> dict[str, object]:
    content = recording.read_bytes()
    kind = {"flac": "audio/flac", "wav": "audio/wav"}[recording.suffix[1:]]
    return {"size_bytes": len(content), "sha256": hashlib.sha256(content).hexdigest(), "content_type": kind}


def _row(job_id: UUID, transcript: Transcript) -> JobTranscript:
    return JobTranscript(
        job_id=job_id,
        text=transcript.text,
        segments=[segment_to_dict(segment) for segment in transcript.segments],
        speakers=[asdict(speaker) for speaker in transcript.speakers],
        warnings=[],
    )


def conversation(texts: Sequence[str], *, n_speakers: int = 2) -> Transcript:
    """Segments of three seconds, each said by the next speaker, its words shared out over two of them."""
    segments = []
    for i, text in enumerate(texts):
        speaker, words = f"SPEAKER_{i % n_speakers:02}", text.split()
        each = 2.0 / len(words)
        timed = [Word(w, 3 * i + n * each, 3 * i + (n + 1) * each, 0.9, speaker) for n, w in enumerate(words)]
        segments.append(Segment(i, 3.0 * i, 3.0 * i + 2.0, text, 0.9, speaker, tuple(timed)))
    speakers = tuple(Speaker(f"SPEAKER_{n:02}", None, 2.0 * len(texts) / n_speakers) for n in range(n_speakers))
    return Transcript(tuple(segments), speakers, "en", 3.0 * len(texts))


def lecture(n_words: int) -> Transcript:
    """Hours of words, each other than all the rest, in segments of one speaker after the other."""
    words = [Word(f"word{i}", i * WORD_S, (i + 1) * WORD_S, 0.9) for i in range(n_words)]
    groups = [words[i : i + N_WORDS_A_SEGMENT] for i in range(0, n_words, N_WORDS_A_SEGMENT)]
    segments = [
        Segment(i, g[0].start_s, g[-1].end_s, " ".join(w.word for w in g), 0.9, f"SPEAKER_{i % 3:02}", tuple(g))
        for i, g in enumerate(groups)
    ]
    speakers = tuple(Speaker(f"SPEAKER_{n:02}", None, n_words * WORD_S / 3) for n in range(3))
    return Transcript(tuple(segments), speakers, "en", n_words * WORD_S)
