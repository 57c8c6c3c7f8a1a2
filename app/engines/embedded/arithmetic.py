"""What the networks here share: vectors of length 1, and layers filled with their weights."""

from typing import Any

import numpy as np

from app.engines.embedded.mel import Floats


def unit(vectors: Floats) -> Floats:
    """The vectors, shape (…, d), at length 1."""
    lengths = np.linalg.norm(vectors, axis=-1, keepdims=True)
    return np.asarray(vectors / np.maximum(lengths, 1e-9), np.float32)


def loaded(module: Any, state: dict[str, Any], prefix: str) -> Any:
    """A layer of torch with its weights: those of `state` whose names begin so."""
    module.load_state_dict({name.removeprefix(prefix): t for name, t in state.items() if name.startswith(prefix)})
    return module.eval()
