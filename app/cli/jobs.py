"""`jobs`: see which jobs failed for good and why, have them done again, remove them.

Exit codes: 0 it is done, 1 it could not be done (or not for all), 2 there is no such thing as what was asked for.
"""

import argparse
import sys
from collections.abc import Callable, Iterator

from app.cli.ages import age_s
from app.cli.dead_jobs import as_json, handled_values, job_values, listed, report_values, safe, shown
from app.cli.operator import OPERATOR, dead_letters
from app.domain.dead import DeadJob, Handled
from app.domain.errors import NotFound
from app.embedded.errors import LaunchError
from app.observability.logging import configure_logging
from app.services.jobs.dead import DeadFilter, DeadLetters
from config.operator import OperatorConfig
from config.reading import ConfigError

DONE, FAILED, WRONG_USE = 0, 1, 2
PAGE = 200


class WrongUse(Exception):
    """The arguments do not go together; the message says why."""


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Say what `jobs` takes."""
    parser = subparsers.add_parser("jobs", help="jobs that failed: list, explain, replay, purge")
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    _add_dead(actions)
    _add_show(actions)
    _add_replay(actions)
    _add_purge(actions)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Do it; the exit code. What goes wrong is one line on stderr."""
    actions: dict[str, Callable[[argparse.Namespace, DeadLetters], int]] = {
        "dead": _dead,
        "show": _show,
        "replay": _replay,
        "purge": _purge,
    }
    configure_logging("console", "ERROR")
    try:
        with dead_letters(OperatorConfig.from_env()) as dead:
            return actions[args.action](args, dead)
    except (ConfigError, WrongUse, NotFound) as error:
        return _tell(str(error), WRONG_USE)
    except LaunchError as error:
        return _tell(str(error), FAILED)


def _add_dead(actions: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    action = actions.add_parser("dead", help="list the jobs that failed for good, newest first")
    _add_filters(action)
    action.add_argument("--newer-than", type=age_s, metavar="AGE", help="failed less than AGE ago")
    action.add_argument("--limit", type=int, default=50, help="at most so many; 0: all (default: 50)")
    action.add_argument("--json", action="store_true", help="for programs")


def _add_show(actions: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    action = actions.add_parser("show", help="a job with its last ten errors")
    action.add_argument("job")
    action.add_argument("--json", action="store_true", help="for programs")


def _add_replay(actions: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    action = actions.add_parser("replay", help="put failed jobs back into the queue")
    action.add_argument("jobs", nargs="*", metavar="JOB")
    action.add_argument("--all", action="store_true", help="all that the filters let through")
    _add_filters(action)
    action.add_argument("--json", action="store_true", help="for programs")


def _add_purge(actions: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    action = actions.add_parser("purge", help="remove failed jobs for good: rows, recordings, all that hangs on them")
    action.add_argument("jobs", nargs="*", metavar="JOB")
    _add_filters(action)
    action.add_argument("--json", action="store_true", help="for programs")


def _add_filters(action: argparse.ArgumentParser) -> None:
    action.add_argument("--code", help="only those that failed with this error code")
    action.add_argument("--project", help="only those of this project")
    action.add_argument(
        "--older-than", type=age_s, metavar="AGE", help="failed longer ago than AGE: 90s, 15m, 12h, 30d"
    )


def _dead(args: argparse.Namespace, dead: DeadLetters) -> int:
    jobs = list(_all(dead, _filter(args), args.limit if args.limit > 0 else None))
    print(as_json([job_values(job) for job in jobs]) if args.json else listed(jobs))
    if len(jobs) == args.limit:
        _tell(f"These are the newest {args.limit}; --limit 0 lists all.", DONE)
    return DONE


def _show(args: argparse.Namespace, dead: DeadLetters) -> int:
    job, errors = dead.get_job(OPERATOR, args.job), dead.get_errors(OPERATOR, args.job)
    print(as_json(report_values(job, errors)) if args.json else shown(job, errors))
    return DONE


def _replay(args: argparse.Namespace, dead: DeadLetters) -> int:
    has_filter = args.code or args.project or args.older_than is not None
    if bool(args.jobs) == args.all or (args.jobs and has_filter):
        raise WrongUse("Name the jobs, or say --all (with --code, --project, --older-than for some of them).")
    return _handle(args, dead, dead.replay, "replayed")


def _purge(args: argparse.Namespace, dead: DeadLetters) -> int:
    has_filter = args.code or args.project or args.older_than is not None
    if bool(args.jobs) == (args.older_than is not None) or (args.jobs and has_filter):
        raise WrongUse("Name the jobs, or say --older-than AGE (with --code, --project for some of them).")
    return _handle(args, dead, dead.purge, "purged")


def _handle(args: argparse.Namespace, dead: DeadLetters, order: Callable[..., Handled], word: str) -> int:
    """All ids are read first: a job that is replayed and fails again at once is not taken twice."""
    job_ids = args.jobs or [job.id for job in _all(dead, _filter(args), None)]
    handled = order(OPERATOR, job_ids)
    if args.json:
        print(as_json(handled_values(handled)))
    else:
        print(f"{len(handled.done)} {word}.")
        for one in handled.refused:
            _tell(safe(f"{one.id}: {one.error.message}"), FAILED)
    return FAILED if handled.refused else DONE


def _all(dead: DeadLetters, wanted: DeadFilter, limit: int | None) -> Iterator[DeadJob]:
    """The dead letters, page by page."""
    cursor, n = None, 0
    while limit is None or n < limit:
        page = dead.list_dead(OPERATOR, wanted, cursor=cursor, limit=PAGE if limit is None else min(PAGE, limit - n))
        yield from page.jobs
        cursor, n = page.next_cursor, n + len(page.jobs)
        if cursor is None:
            return


def _filter(args: argparse.Namespace) -> DeadFilter:
    return DeadFilter(args.code, args.project, args.older_than, getattr(args, "newer_than", None))


def _tell(message: str, exit_code: int) -> int:
    print(message, file=sys.stderr)
    return exit_code
