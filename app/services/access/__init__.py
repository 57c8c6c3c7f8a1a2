"""Whom things belong to."""
