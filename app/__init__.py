"""Parloir: a self-hosted speech-to-text service."""
