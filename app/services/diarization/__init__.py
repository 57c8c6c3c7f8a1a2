"""Who spoke when, joined with what was said."""
