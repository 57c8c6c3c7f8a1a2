"""Telling clients' own servers what became of their jobs: signed, tried for a day, never forgotten."""
