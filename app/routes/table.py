"""All addresses of the service."""

from app.routes import batch, jobs, service
from app.routes.route import Route, Socket

ROUTES: tuple[Route, ...] = (*batch.ROUTES, *jobs.ROUTES, *service.ROUTES)
SOCKETS: tuple[Socket, ...] = jobs.SOCKETS
NATIVE: tuple[Route, ...] = (*batch.ROUTES, *jobs.ROUTES)
