"""`projects`: see and set what each project is allowed: its share of the workers, how long its things are kept.

Exit codes: 0 it is done, 1 it could not be done, 2 there is no such thing as what was asked for.
"""

import argparse
import json
import math
import sys
from dataclasses import asdict
from typing import Any

from app.cli.ages import age_s
from app.cli.operator import OPERATOR, projects
from app.cli.table import table
from app.domain.errors import InvalidFields, NotFound
from app.domain.project import ProjectView
from app.embedded.errors import LaunchError
from app.observability.logging import configure_logging
from app.services.access.projects import Projects
from config.operating import OperatingConfig
from config.reading import ConfigError

DONE, FAILED, WRONG_USE = 0, 1, 2
FOR_EVER, AS_SET = "forever", "default"
COLUMNS = ("PROJECT", "NAME", "WEIGHT", "RETENTION", "AUDIO RETENTION")
FIELDS = ("weight", "retention_s", "audio_retention_s")


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Say what `projects` takes."""
    parser = subparsers.add_parser("projects", help="projects: list them, set weight and retention")
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    listing = actions.add_parser("list", help="all projects")
    listing.add_argument("--json", action="store_true", help="for programs")
    setting = actions.add_parser("set", help="change one", argument_default=argparse.SUPPRESS)
    setting.add_argument("project")
    kept = f"90s, 15m, 12h, 30d, `{FOR_EVER}`, or `{AS_SET}`: as the settings say"
    setting.add_argument("--retention", type=kept_s, dest="retention_s", metavar="AGE", help=f"of jobs: {kept}")
    setting.add_argument(
        "--audio-retention", type=kept_s, dest="audio_retention_s", metavar="AGE", help="of recordings: the same"
    )
    setting.add_argument("--weight", type=float, help="its share beside other projects that also wait")
    setting.add_argument("--json", action="store_true", default=False, help="for programs")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Do it; the exit code. What goes wrong is one line on stderr."""
    configure_logging("console", "ERROR")
    try:
        with projects(OperatingConfig.from_env()) as known:
            told = known.list_projects(OPERATOR) if args.action == "list" else (_set(args, known),)
        print(_as_json(told) if args.json else table([COLUMNS, *map(_row, told)]))
    except InvalidFields as error:
        return _tell(" ".join(f"{name}: {problems[0]}." for name, problems in error.errors.items()), WRONG_USE)
    except (ConfigError, NotFound) as error:
        return _tell(str(error), WRONG_USE)
    except LaunchError as error:
        return _tell(str(error), FAILED)
    return DONE


def kept_s(text: str) -> float | None:
    """How long something is kept, in seconds: an age, infinity, or None for what the settings say.

    Raises:
        argparse.ArgumentTypeError: it is none of these.
    """
    if text == AS_SET:
        return None
    return math.inf if text == FOR_EVER else age_s(text)


def _set(args: argparse.Namespace, known: Projects) -> ProjectView:
    given = {name: value for name, value in vars(args).items() if name in FIELDS}
    if not given:
        raise InvalidFields({"set": ["give --retention, --audio-retention or --weight"]})
    return known.change(OPERATOR, args.project, given)


def _row(project: ProjectView) -> tuple[str, ...]:
    return project.id, project.name, f"{project.weight:g}", _kept(project.retention_s), _kept(project.audio_retention_s)


def _kept(seconds: float | None) -> str:
    if seconds is None:
        return AS_SET
    return FOR_EVER if math.isinf(seconds) else f"{seconds:g} s"


def _as_json(told: tuple[ProjectView, ...]) -> str:
    """JSON knows no infinity: `forever` stands for it."""
    return json.dumps([_values(project) for project in told], default=str, ensure_ascii=False, indent=2)


def _values(project: ProjectView) -> dict[str, Any]:
    values = asdict(project)
    return {name: FOR_EVER if value == math.inf else value for name, value in values.items()}


def _tell(message: str, exit_code: int) -> int:
    print(message, file=sys.stderr)
    return exit_code
