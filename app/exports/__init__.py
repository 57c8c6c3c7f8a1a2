"""A transcript in other forms: pure functions."""
