"""The shape of a language tag, without the registry of what the tags mean."""

import re

_LANGUAGE = r"[a-z]{2,3}(?:-[a-z]{3}){0,3}"
_SCRIPT = r"(?:-[a-z]{4})?"
_REGION = r"(?:-(?:[a-z]{2}|[0-9]{3}))?"
_VARIANTS = r"(?:-(?:[a-z0-9]{5,8}|[0-9][a-z0-9]{3}))*"
_EXTENSIONS = r"(?:-[a-wy-z0-9](?:-[a-z0-9]{2,8})+)*"
_PRIVATE_USE = r"(?:-x(?:-[a-z0-9]{1,8})+)?"
_TAG = re.compile(_LANGUAGE + _SCRIPT + _REGION + _VARIANTS + _EXTENSIONS + _PRIVATE_USE, re.IGNORECASE)


def is_language_tag(text: str) -> bool:
    """Whether `text` is well-formed by RFC 5646 (BCP 47), section 2.1; tags of private use alone are not."""
    return _TAG.fullmatch(text) is not None
