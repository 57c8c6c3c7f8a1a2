"""All addresses of the service."""

from app.routes import admin, batch, jobs, service
from app.routes.route import Route, Socket

ROUTES: tuple[Route, ...] = (*batch.ROUTES, *jobs.ROUTES, *admin.ROUTES, *service.ROUTES)
SOCKETS: tuple[Socket, ...] = jobs.SOCKETS
NATIVE: tuple[Route, ...] = (*batch.ROUTES, *jobs.ROUTES, *admin.ROUTES)
