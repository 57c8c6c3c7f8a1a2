"""From a stored recording to who spoke when, in memory that does not grow with it."""

from collections.abc import Iterator
from pathlib import Path

from app.audio.decode import Decoding, decode
from app.audio.sound import RATE_HZ, Pcm, VoiceActivity
from app.domain.diarization import Diarization
from app.domain.errors import Cancelled
from app.domain.job import SEPARATE, JobOptions
from app.domain.speaker_hints import SpeakerHints
from app.domain.speaker_turn import SpeakerTurn
from app.engines.diarization import Diarizer, SoundStream, Watch
from app.services.diarization.channels import ChannelDiarizer
from app.services.diarization.findings import warnings
from app.services.transcription.checkpoint import Checkpoint
from app.services.transcription.limits import PipelineLimits
from app.services.transcription.observer import Observer
from app.services.transcription.tracker import NEARLY_DONE, Tracker
