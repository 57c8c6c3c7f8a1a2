"""The life of a job: submission, claims, beats, ends, and looking at it."""
