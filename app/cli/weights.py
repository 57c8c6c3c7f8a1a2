"""`weights`: see which weights are here, fetch and remove them.

Exit codes: 0 it is done, 1 it could not be done, 2 there is no such thing as what was asked for.
"""

import argparse
import sys
from collections.abc import Callable
from contextlib import closing

from app.cli.table import table
from app.cli.transfer_bar import TransferBar
from app.engines.registry import BrokenPlugin, DuplicateEngine, Registry, build_registry
from app.engines.weights.catalogue import FETCHABLE, sources, starter
from app.engines.weights.errors import UnknownWeights, WeightsError
from app.engines.weights.inventory import Weights, inventory
from app.engines.weights.manifest import Condition
from app.engines.weights.source import Source
from app.engines.weights.store import Store
from config.reading import ConfigError
from config.weights import WeightsConfig

DONE, FAILED, WRONG_USE = 0, 1, 2
COLUMNS = ("ENGINE", "MODEL", "LANGUAGES", "SIZE", "STATE")
_MANY = 4


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Say what `weights` takes."""
    parser = subparsers.add_parser("weights", help="list, fetch and remove the engines' weights")
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    _add_list(actions)
    _add_pull(actions)
    _add_remove(actions)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Do it; the exit code. What goes wrong is one line on stderr."""
    actions: dict[str, Callable[[argparse.Namespace, WeightsConfig], int]] = {
        "list": _list,
        "pull": _pull,
        "remove": _remove,
    }
    try:
        return actions[args.action](args, WeightsConfig.from_env())
    except ConfigError as error:
        return _tell(str(error), WRONG_USE)
    except WeightsError as error:
        return _tell(f"{error}.", WRONG_USE if isinstance(error, UnknownWeights) else FAILED)
    except (OSError, BrokenPlugin, DuplicateEngine) as error:
        return _tell(str(error), FAILED)
    except KeyboardInterrupt:
        return _tell("Interrupted; the same command goes on where it stopped.", FAILED)


def _add_list(actions: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    action = actions.add_parser("list", help="show which weights are here")
    action.add_argument("--all", action="store_true", help="also those that could be fetched")
    action.add_argument("--verify", action="store_true", help="read all files and compare them with what was fetched")


def _add_pull(actions: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    action = actions.add_parser("pull", help="fetch weights, or go on with it")
    action.add_argument("engine", choices=FETCHABLE)
    action.add_argument("model", nargs="?", help="default: a good start; of vosk also a language, such as fr")
    action.add_argument("--force", action="store_true", help="even if they are here and complete")


def _add_remove(actions: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    action = actions.add_parser("remove", help="delete weights")
    action.add_argument("engine")
    action.add_argument("model")


def _list(args: argparse.Namespace, config: WeightsConfig) -> int:
    """1 if something is damaged, so that a script can tell."""
    found = inventory(build_registry(config.weights_dir), Store(config.weights_dir), verify=args.verify)
    shown = [one for one in found if one.condition or args.all]
    print(table([COLUMNS, *map(_row, shown)]))
    return FAILED if any(one.condition is Condition.DAMAGED for one in found) else DONE


def _row(one: Weights) -> tuple[str, ...]:
    languages = ", ".join(one.languages) if len(one.languages) < _MANY else f"{len(one.languages)} languages"
    size = f"{one.size_bytes / 1e6:,.1f} MB" if one.size_bytes is not None else ""
    return one.engine, one.model, languages or "any", size, one.condition or "not here"


def _pull(args: argparse.Namespace, config: WeightsConfig) -> int:
    source = sources(whisper_url=config.whisper_url, vosk_url=config.vosk_url)[args.engine]
    registry, store = build_registry(config.weights_dir), Store(config.weights_dir)
    model = source.resolve(args.model or starter(args.engine, _names(registry, args.engine)))
    if not args.force and store.condition(args.engine, model) is Condition.COMPLETE:
        print(f"{args.engine} {model} is here already.")
        return DONE
    _fetch(source, store, model)
    print(f"{args.engine} {model} is here.")
    return DONE


def _fetch(source: Source, store: Store, model: str) -> None:
    with store.incoming(source.engine, model) as folder:
        with closing(TransferBar(f"{source.engine} {model}")) as bar:
            ready = source.fetch(model, folder, bar.show)
        store.install(source.engine, model, ready.path, ready.place, ready.url)


def _remove(args: argparse.Namespace, config: WeightsConfig) -> int:
    here = build_registry(config.weights_dir).choices()
    paths = {(one.engine.name, one.model.name): one.model.path for one in here}
    Store(config.weights_dir).remove(args.engine, args.model, paths.get((args.engine, args.model)))
    print(f"{args.engine} {args.model} is removed.")
    return DONE


def _names(registry: Registry, engine: str) -> list[str]:
    return [model.name for model in registry.get(engine).models()]


def _tell(message: str, exit_code: int) -> int:
    print(message, file=sys.stderr)
    return exit_code
