"""Live sessions under load: talkers, and a bare server to stand beside ours."""
