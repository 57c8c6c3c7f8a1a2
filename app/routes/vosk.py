"""The dialect of vosk-server."""

from app.controllers import stream_talk, stream_vosk
from app.routes.route import Socket

PATH = "/vosk"
TAG = "vosk"

SOCKETS = (Socket(PATH, stream_talk.admit_stream, stream_vosk.vosk, "The protocol of vosk-server (WebSocket)", TAG),)
