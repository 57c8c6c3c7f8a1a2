"""The browser of this machine, and how it is started without a person in front of it."""

import shutil

NAMES = ("chromium", "chromium-browser", "google-chrome")
MISSING = "no Chromium on this machine: on Debian, apt-get install chromium"
QUIET = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--autoplay-policy=no-user-gesture-required",
)
MICROPHONE = ("--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream")


def chromium_path() -> str | None:
    """Where it is; None if it is not here."""
    return next((path for name in NAMES if (path := shutil.which(name))), None)


def playing(sound: object) -> str:
    """What makes the fake microphone play a recording, once."""
    return f"--use-file-for-fake-audio-capture={sound}%noloop"
