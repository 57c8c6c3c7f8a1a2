"""Languages as Whisper names them, and as the rest of the world does (BCP 47)."""

_CODES = (
    "af am ar as az ba be bg bn bo br bs ca cs cy da de el en es et eu fa fi fo fr gl gu ha haw he hi hr ht hu hy id"
    " is it ja jw ka kk km kn ko la lb ln lo lt lv mg mi mk ml mn mr ms mt my ne nl nn no oc pa pl ps pt ro ru sa sd"
    " si sk sl sn so sq sr su sv sw ta te tg th tk tl tr tt uk ur uz vi yi yo zh"
)
WHISPER_LANGUAGES = tuple(_CODES.split())
"""The 99 languages every multilingual Whisper was trained on."""

LARGE_V3_LANGUAGES = (*WHISPER_LANGUAGES, "yue")
"""The third large model and what was made from it also know Cantonese."""

_WHISPER_CODES = {"jv": "jw", "nb": "no", "fil": "tl", "iw": "he", "in": "id", "ji": "yi", "cmn": "zh"}
"""Subtags that Whisper spells in another way, or knows under a wider or an older name."""

_STANDARD = {"jw": "jv"}
"""The one code of Whisper's that BCP 47 has withdrawn."""


def primary_subtag(tag: str) -> str:
    """`fr` of `fr-CA` or `fr_CA`."""
    return tag.replace("_", "-").split("-", 1)[0].lower()


def whisper_code(tag: str) -> str:
    """How Whisper calls the language of a BCP 47 tag; whether it knows it is another question."""
    subtag = primary_subtag(tag)
    return _WHISPER_CODES.get(subtag, subtag)


def standard_subtag(code: str) -> str:
    """The BCP 47 primary subtag of one of Whisper's codes."""
    return _STANDARD.get(code, code)


def accepted_subtags(codes: tuple[str, ...]) -> tuple[str, ...]:
    """Every primary subtag that means one of these codes of Whisper's, ascending."""
    others = (subtag for subtag, code in _WHISPER_CODES.items() if code in codes)
    return tuple(sorted({*codes, *others}))
