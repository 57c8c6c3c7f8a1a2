"""Silero VAD out of its wheel: whether somebody speaks, 32 ms at a time.

The weights are run by onnxruntime alone; importing the `silero_vad` package would bring in torch, so it is only
located. Of the wheel's networks the one for sequences is taken: it gives the very numbers of the streaming one for
a third of the time, because one call goes through many frames and hands the LSTM's state on to the next.
"""

from collections.abc import Iterator
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from app.audio.sound import Pcm
from app.domain.errors import EngineUnavailable

HOP = 512
CONTEXT = 64
"""Samples of the frame before that the network wants in front of each frame (silero_vad's own value at 16 kHz)."""
MAX_FRAMES = 256
"""Frames in one call: 8 s. More is no faster and only takes memory."""
STATE_SHAPE = (1, 1, 128)
WEIGHTS = Path("data", "silero_vad_16k_sequence.onnx")


class SileroVad:
    """A `VoiceActivity`; one instance follows one stream. It needs 2.5 ms of one core for a second of sound."""

    hop = HOP

    def __init__(self) -> None:
        self._session = _session(weights_path())
        self.reset()

    def reset(self) -> None:
        """Forget the stream."""
        self._hidden = self._cell = np.zeros(STATE_SHAPE, np.float32)
        self._pending = np.zeros(CONTEXT, np.float32)

    def probabilities(self, pcm: Pcm) -> npt.NDArray[np.float32]:
        """Speech probabilities (0…1) for each whole hop of the stream not told before, shape (m,).

        `pcm` is the next piece of the stream, float32, 16 kHz, shape (n,), any n; samples after the last
        whole hop are kept for the next call.
        """
        # What is pending begins with the context of the next frame.
        stream = np.concatenate([self._pending, pcm])
        n_frames = (len(stream) - CONTEXT) // HOP
        self._pending = stream[n_frames * HOP :].copy()
        blocks = [self._run(block) for block in _blocks(stream, n_frames)]
        return np.concatenate(blocks) if blocks else np.zeros(0, np.float32)

    def _run(self, frames: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        inputs = {"input": frames, "h": self._hidden, "c": self._cell}
        told, self._hidden, self._cell = self._session.run(["speech_probs", "hn", "cn"], inputs)
        return np.asarray(told, np.float32)


def weights_path() -> Path:
    """The network's file inside the installed wheel, found without importing the package.

    Raises:
        EngineUnavailable: the wheel is not installed, or does not carry this network.
    """
    spec = find_spec("silero_vad")
    for folder in (spec and spec.submodule_search_locations) or ():
        path = Path(folder) / WEIGHTS
        if path.is_file():
            return path
    raise EngineUnavailable(engine="silero-vad", reason="the package silero-vad 6.2 or later is not installed")


def _blocks(stream: Pcm, n_frames: int) -> Iterator[npt.NDArray[np.float32]]:
    """Frames with their context in front, shape (up to MAX_FRAMES, CONTEXT + HOP)."""
    for first in range(0, n_frames, MAX_FRAMES):
        n = min(MAX_FRAMES, n_frames - first)
        piece = stream[first * HOP : (first + n) * HOP + CONTEXT]
        frames = np.empty((n, CONTEXT + HOP), np.float32)
        frames[:, CONTEXT:] = piece[CONTEXT:].reshape(n, HOP)
        frames[0, :CONTEXT] = piece[:CONTEXT]
        frames[1:, :CONTEXT] = frames[:-1, HOP:]
        yield frames


@cache
def _session(path: Path) -> Any:
    """One for all streams of a process: it keeps no state.

    One thread: several streams share a machine, and a network this small gains nothing from more.
    """
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
