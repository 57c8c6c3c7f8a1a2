"""The command line: `python -m app COMMAND`."""

import argparse
import sys
from importlib import import_module

COMMANDS = {
    "up": "start the service on this machine",
    "transcribe": "transcribe files here, without the service",
    "listen": "live words of a microphone or a file, through the service",
    "top": "show how the service is doing",
    "jobs": "jobs that failed: list, explain, replay, purge",
    "projects": "projects: list them, set weight and retention",
    "weights": "list, fetch and remove the engines' weights",
}


def main(argv: list[str] | None = None) -> int:
    """Run one command; its exit code. Only the module of the command that is asked for is imported."""
    argv = sys.argv[1:] if argv is None else argv
    parser = argparse.ArgumentParser(prog="python -m app", description="Parloir: speech to text.")
    subparsers = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    asked = argv[0] if argv else None
    for name, purpose in COMMANDS.items():
        if name == asked:
            import_module(f"app.cli.{name}").add_parser(subparsers)
        else:
            subparsers.add_parser(name, help=purpose)
    args = parser.parse_args(argv)
    exit_code: int = args.run(args)
    return exit_code


if __name__ == "__main__":
    sys.exit(main())
