"""`top`: how the service is doing, on one screen that renews itself.

Exit codes: 0 it was shown, 1 nothing answers, 2 the settings are wrong.
"""

import argparse
import json
import sys

from sqlalchemy import Engine, create_engine
from sqlalchemy.exc import ProgrammingError

from app.cli.overview import plain
from app.domain.job import Mode
from app.embedded.errors import LaunchError
from app.embedded.running import server_urls
from app.helpers.database_url import with_driver
from app.queues.connection import connect
from app.queues.hints import HintQueue
from app.services.database import Database
from app.services.operations.overview import Operations
from app.services.operations.snapshot import Snapshot
from config import ConfigError, OperatingConfig

SHOWN, FAILED, WRONG_USE = 0, 1, 2
OTHER_SCHEMA = "The database's schema is not that of this version: migrate it (`python -m alembic upgrade head`)."


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Say what `top` takes."""
    parser = subparsers.add_parser("top", help="show how the service is doing")
    parser.add_argument("--once", action="store_true", help="show it one time; so it is when not at a terminal")
    parser.add_argument("--json", action="store_true", help="one time, as JSON")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Show it; the exit code. What is in the way is one line on stderr."""
    try:
        config = OperatingConfig.from_env()
        database_url, redis_url = server_urls(config.database_url, config.redis_url, config.var_dir)
    except ConfigError as error:
        return _tell(str(error), WRONG_USE)
    except LaunchError as error:
        return _tell(str(error), FAILED)
    engine = _engine(database_url)
    try:
        return _show(_operations(engine, redis_url), config, args)
    except ProgrammingError:
        return _tell(OTHER_SCHEMA, FAILED)
    finally:
        engine.dispose()


def _show(operations: Operations, config: OperatingConfig, args: argparse.Namespace) -> int:
    first = operations.snapshot()
    if not first.database and not first.redis:
        return _tell(_nothing_answers(config), FAILED)
    if args.json:
        print(json.dumps(first.to_dict(), indent=2))
    elif args.once or not sys.stdout.isatty():
        print(plain(first))
    else:
        _show_live(operations, first)
    return SHOWN


def _engine(database_url: str) -> Engine:
    options = {"connect_timeout": 3, "application_name": "parloir-top", "options": "-c statement_timeout=10s"}
    return create_engine(with_driver(database_url), pool_size=1, connect_args=options)


def _operations(engine: Engine, redis_url: str) -> Operations:
    client = connect(redis_url)
    return Operations(Database(engine), client, {mode: HintQueue(client, mode) for mode in Mode})


def _show_live(operations: Operations, first: Snapshot) -> None:
    # Imported only here: what programs read needs no terminal.
    from app.cli.live_screen import show_live

    show_live(first, operations.snapshot)


def _nothing_answers(config: OperatingConfig) -> str:
    if config.database_url or config.redis_url:
        return "Neither PostgreSQL nor Redis answers: DATABASE_URL and REDIS_URL say where they are looked for."
    return f"Nothing runs in {config.var_dir}: start it (`make run`), or set VAR_DIR, or DATABASE_URL and REDIS_URL."


def _tell(line: str, exit_code: int) -> int:
    print(line, file=sys.stderr)
    return exit_code
