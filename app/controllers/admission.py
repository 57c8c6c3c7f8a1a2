"""Who may go where: asked before anything that was sent is looked at."""

from flask import g

from app.controllers.context import principal
from app.domain.errors import Forbidden, Unauthenticated


def require_admin() -> None:
    """Let administrators pass.

    Raises:
        Forbidden: the principal is none, or there can be none because no key is set.
        Unauthenticated: no key was sent, or a wrong one.
    """
    if principal().is_admin:
        return
    raise Unauthenticated if g.could_be_admin else Forbidden
