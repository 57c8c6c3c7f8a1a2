"""Sound that is still being made: bytes as they come → float32, mono, 16 kHz, with exact positions."""
