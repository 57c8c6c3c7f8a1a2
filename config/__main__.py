"""`python -m config`: every setting as a table in Markdown, for the README."""

import sys

from config import SETTINGS
from config.reading import REQUIRED, Setting


def line(setting: Setting) -> str:
    """One row of the table."""
    default = "*required*" if setting.default is REQUIRED else f"`{setting.default}`"
    shown = "" if setting.default is None or setting.default == () else default
    meaning = setting.meaning.replace("|", "\\|")
    return f"| `{setting.name}` | {shown} | {meaning} |"


if __name__ == "__main__":
    rows = ["| setting | default | meaning |", "|---|---|---|", *(line(setting) for setting in SETTINGS)]
    sys.stdout.write("\n".join(rows) + "\n")
