"""Transcripts as files: each format a pure function of a `Transcript`, found by name in `formats.FORMATS`."""
