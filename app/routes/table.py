"""All addresses of the service."""

from app.routes import admin, batch, diarization, jobs, service
from app.routes.route import Route, Socket

ROUTES: tuple[Route, ...] = (*batch.ROUTES, *diarization.ROUTES, *jobs.ROUTES, *admin.ROUTES, *service.ROUTES)
SOCKETS: tuple[Socket, ...] = jobs.SOCKETS
NATIVE: tuple[Route, ...] = (*batch.ROUTES, *diarization.ROUTES, *jobs.ROUTES, *admin.ROUTES)
