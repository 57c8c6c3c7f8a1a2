"""Live sessions: opening and resuming them, and what their workers write."""
