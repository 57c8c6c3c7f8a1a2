"""Fetching, checking and removing the engines' weights; nothing here runs unless an operator asks for it."""
