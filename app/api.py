"""The API: a Flask application over the services."""

import sys
from collections.abc import Callable

from flask import Flask
from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import Engine

from app.controllers.context import EXTENSION
from app.controllers.docs import DOCUMENT
from app.controllers.intake import MAX_UPLOAD_BYTES
from app.controllers.links import PUBLIC_URL
from app.helpers.database_url import with_driver
from app.i18n.locales import Locale
from app.middlewares import access_log, body_limit, cors, errors, headers, identity, locale, rate_limit, request_ids
from app.middlewares.canonical_path import CanonicalPath, first_segments
from app.middlewares.families import Families, native_family
from app.middlewares.vosk_port import VoskPort
from app.models import Base
from app.queues.buckets import Buckets
from app.routes.openapi import openapi_document
from app.routes.registration import register
from app.routes.table import NATIVE, ROUTES, SOCKETS
from app.routes.vosk import PATH as VOSK_PATH
from app.services.container import build_services
from app.services.database import LOST_PEER, limited
from app.services.jobs.submission import Defaults
from app.services.patience import patient
from config.api import ApiConfig

# One request holds a connection for milliseconds, so that few serve many; a full pool is told as 503.
POOL = {
    "pool_size": 8,
    "max_overflow": 8,
    "pool_timeout": 5,
    "pool_pre_ping": True,
    "pool_recycle": 1800,
    "connect_args": {
        **LOST_PEER,
        "connect_timeout": 3,
        "connection_factory": patient(20.0),
        "application_name": "parloir-api",
        "options": limited(15),
    },
}


def build_api(config: ApiConfig) -> Flask:
    """The application, ready to serve; connects to nothing yet."""
    app = Flask("parloir", static_folder=None)
    app.url_map.strict_slashes = False
    app.json.ensure_ascii = False  # type: ignore[attr-defined]
    app.json.sort_keys = False  # type: ignore[attr-defined]
    app.config[PUBLIC_URL] = config.public_url
    app.config[MAX_UPLOAD_BYTES] = config.max_upload_bytes
    app.config[DOCUMENT] = openapi_document(ROUTES, SOCKETS)
    app.extensions[EXTENSION] = build_services(
        _database(app, config),
        redis_url=config.redis_url,
        storage_dir=config.storage_dir,
        weights_dir=config.weights_dir,
        defaults=Defaults(config.default_engine, config.default_language, config.default_diarizer),
        hf_token=config.hf_token,
        offload=_in_a_thread,
        stream_project_max=config.stream_project_max,
        stream_idle_s=config.stream_idle_s,
    )
    _install_middlewares(app, config)
    register(app, ROUTES, SOCKETS)
    app.wsgi_app = CanonicalPath(app.wsgi_app, first_segments(route.path for route in NATIVE))  # type: ignore[method-assign]
    if config.vosk_port:
        app.wsgi_app = VoskPort(app.wsgi_app, config.vosk_port, VOSK_PATH)  # type: ignore[method-assign]
    return app


def _install_middlewares(app: Flask, config: ApiConfig) -> None:
    """Before a request from top to bottom, after it from bottom to top."""
    request_ids.install(app)
    access_log.install(app)
    locale.install(app, Families(native_family(Locale(config.default_locale))))
    errors.install(app)
    headers.install(app)
    cors.install(app, config.cors_origins)
    identity.install(app, config.internal_api_key)
    free = {route.endpoint for route in ROUTES if not route.is_limited}
    rate_limit.install(app, Buckets(app.extensions[EXTENSION].redis), config.rate_limit_per_min, free)
    body_limit.install(app, {route.endpoint for route in ROUTES if route.file_field}, config.max_upload_bytes)


def _database(app: Flask, config: ApiConfig) -> Engine:
    app.config["SQLALCHEMY_DATABASE_URI"] = with_driver(config.database_url)
    app.config["SQLALCHEMY_ENGINE_OPTIONS"] = POOL
    db = SQLAlchemy(metadata=Base.metadata)
    db.init_app(app)
    with app.app_context():
        return db.engine


def _in_a_thread(action: Callable[[], None]) -> None:
    """Do something slow where it does not hold up the other requests; under gevent that is a thread of its pool."""
    if not _is_patched():
        action()
        return
    from gevent import get_hub

    get_hub().threadpool.apply(action)


def _is_patched() -> bool:
    """Whether gevent serves us; it is not loaded if not."""
    monkey = sys.modules.get("gevent.monkey")
    return bool(monkey and monkey.is_module_patched("socket"))
