"""What every answer says to browsers about itself."""

from flask import Flask, Response


def install(app: Flask) -> None:
    """Nothing is guessed to be of another type than it says; nothing of ours is framed; results are not kept."""

    @app.after_request
    def harden(response: Response) -> Response:
        response.headers.setdefault("X-Content-Type-Options", "nosniff")
        response.headers.setdefault("X-Frame-Options", "DENY")
        response.headers.setdefault("Referrer-Policy", "no-referrer")
        response.headers.setdefault("Cache-Control", "no-store")
        return response
