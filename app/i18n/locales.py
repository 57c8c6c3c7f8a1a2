"""The languages that the service speaks to people."""

from enum import StrEnum


class Locale(StrEnum):
    """A language of messages; codes, states and field names never change with it."""

    FR = "fr"
    EN = "en"
