"""The parts of the command `transcribe`: where it happens (here, or in a running service) and where results go."""
