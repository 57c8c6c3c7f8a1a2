"""Storage of recordings."""
