"""All addresses of the service."""

from app.routes import admin, batch, diarization, jobs, service, streaming, vosk
from app.routes.route import Route, Socket

ROUTES: tuple[Route, ...] = (
    *batch.ROUTES,
    *streaming.ROUTES,
    *diarization.ROUTES,
    *jobs.ROUTES,
    *admin.ROUTES,
    *service.ROUTES,
)
SOCKETS: tuple[Socket, ...] = (*jobs.SOCKETS, *streaming.SOCKETS, *vosk.SOCKETS)
NATIVE: tuple[Route, ...] = (
    *batch.ROUTES,
    *streaming.ROUTES,
    *diarization.ROUTES,
    *jobs.ROUTES,
    *admin.ROUTES,
)
