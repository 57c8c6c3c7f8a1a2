"""CAM++ (Wang et al. 2023), the network that tells voices apart, as 3D-Speaker trained it: 192 numbers for a voice.

Its package is not imported, only its weights are read; names in quotes are theirs. What comes before the statistics
is worked out once for a block of sound, and the statistics then for each window in it: that costs a third of taking
every window by itself, and tells voices apart better, because the network's context is longer than a window.
"""

from typing import Any

import numpy as np

from app.engines.embedded.arithmetic import unit
from app.engines.embedded.mel import Floats

N_DIMENSIONS = 192
FRAMES_A_STEP = 2
"""Frames of 10 ms that one step of the network's output stands for."""
CONTEXT_STEPS = 100
"""Of the context that weighs a layer's channels: the mean of so many steps, beside that of the whole block."""
BLOCKS = ((12, 1), (24, 2), (16, 2))
"""Layers and dilation of each block."""


class CamPlus:
    """The network, ready to run on the CPU."""

    def __init__(self, state: dict[str, Any]) -> None:
        """Raises `KeyError` or whatever torch raises when the weights are not what they should be."""
        import torch

        self._torch, self._state = torch, state
        self._functions = torch.nn.functional
        with torch.inference_mode():
            self.voices([self.steps(np.zeros((1, 100, 80), np.float32))[0]])

    def steps(self, spectra: Floats) -> Floats:
        """What it makes of blocks of a logarithmic spectrogram, shape (n, n_frames, 80) → (n, 512, n_frames / 2)."""
        with self._torch.inference_mode():
            x = self._head(self._torch.from_numpy(spectra).transpose(1, 2)[:, None])
            x = self._active(self._convolved(x, "xvector.tdnn.linear", stride=2, padding=2), "xvector.tdnn.nonlinear")
            for block, (n_layers, dilation) in enumerate(BLOCKS, 1):
                for layer in range(1, n_layers + 1):
                    x = self._torch.cat([x, self._dense(x, f"xvector.block{block}.tdnnd{layer}", dilation)], 1)
                x = self._active(x, f"xvector.transit{block}.nonlinear")
                x = self._convolved(x, f"xvector.transit{block}.linear")
            out: Floats = self._active(x, "xvector.out_nonlinear").numpy()
        return out

    def voices(self, windows: list[Floats]) -> Floats:
        """A voice for each of some windows of steps, shape (512, m) with any m ≥ 2, as unit vectors, shape (n, 192)."""
        statistics = [np.concatenate([steps.mean(axis=1), steps.std(axis=1, ddof=1)]) for steps in windows]
        with self._torch.inference_mode():
            x = self._torch.from_numpy(np.stack(statistics))[..., None]
            x = self._normal(self._convolved(x, "xvector.dense.linear"), "xvector.dense.nonlinear.batchnorm")
            return unit(x[..., 0].numpy())

    def _head(self, x: Any) -> Any:
        """Two-dimensional convolutions, which take in small shifts of pitch: (n, 1, 80, m) → (n, 320, m)."""
        x = self._normal(self._convolved(x, "head.conv1", padding=1), "head.bn1").relu_()
        for block in ("head.layer1", "head.layer2"):
            x = self._residual(self._residual(x, f"{block}.0", stride=2), f"{block}.1", stride=1)
        x = self._normal(self._convolved(x, "head.conv2", stride=(2, 1), padding=1), "head.bn2").relu_()
        return x.flatten(1, 2)

    def _residual(self, x: Any, name: str, stride: int) -> Any:
        inner = self._convolved(x, f"{name}.conv1", stride=(stride, 1), padding=1)
        inner = self._convolved(self._normal(inner, f"{name}.bn1").relu_(), f"{name}.conv2", padding=1)
        if stride > 1:
            x = self._normal(self._convolved(x, f"{name}.shortcut.0", stride=(stride, 1)), f"{name}.shortcut.1")
        return (self._normal(inner, f"{name}.bn2") + x).relu_()

    def _dense(self, x: Any, name: str, dilation: int) -> Any:
        """The 32 channels that a layer adds, each as loud as the context wants it ("cam_layer")."""
        x = self._convolved(self._active(x, f"{name}.nonlinear1"), f"{name}.linear1")
        x = self._active(x, f"{name}.nonlinear2")
        near = self._functions.avg_pool1d(x, CONTEXT_STEPS, CONTEXT_STEPS, ceil_mode=True)
        near = near.repeat_interleave(CONTEXT_STEPS, dim=-1)[..., : x.shape[-1]]
        context = self._convolved(x.mean(-1, keepdim=True) + near, f"{name}.cam_layer.linear1").relu_()
        wanted = self._convolved(context, f"{name}.cam_layer.linear2").sigmoid_()
        local = self._convolved(x, f"{name}.cam_layer.linear_local", padding=dilation, dilation=dilation)
        return local * wanted

    def _active(self, x: Any, name: str) -> Any:
        return self._normal(x, f"{name}.batchnorm").relu_()

    def _convolved(self, x: Any, name: str, **how: Any) -> Any:
        weight = self._state[f"{name}.weight"]
        convolve = self._functions.conv1d if weight.dim() == 3 else self._functions.conv2d
        return convolve(x, weight, self._state.get(f"{name}.bias"), **how)

    def _normal(self, x: Any, name: str) -> Any:
        """What a batch's mean and spread were in training is taken away."""
        parts = (self._state.get(f"{name}.{part}") for part in ("running_mean", "running_var", "weight", "bias"))
        return self._functions.batch_norm(x, *parts)
