"""The Redis part: hints and events; may be lost at any time without losing a job."""
