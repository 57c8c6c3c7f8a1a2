"""`up`: start the whole service on this machine, and stop it with Ctrl-C."""

import argparse
import os
import sys
from pathlib import Path

from app.cli.recordings import demo_files
from app.embedded.errors import LaunchError, is_disk_full
from app.embedded.launcher import Launcher
from app.embedded.lock import held
from app.embedded.stopping import stop_signals
from app.observability.logging import configure_logging
from config import ConfigError, LaunchConfig


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Say what `up` takes."""
    parser = subparsers.add_parser("up", help="start the service on this machine")
    parser.add_argument("--demo", action="store_true", help="transcribe the demo recordings, print the texts, end")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Start everything, stay until a signal; the exit code."""
    try:
        config = LaunchConfig.from_env()
        configure_logging(config.api.log_format, "WARNING")
        with held(config.api.var_dir):
            return _serve(config, is_demo=args.demo)
    except (ConfigError, LaunchError) as error:
        _tell(str(error))
    except OSError as error:
        if not is_disk_full(error):
            raise
        _tell("The disk that holds VAR_DIR is full: the service cannot start.")
    return 1


def _serve(config: LaunchConfig, *, is_demo: bool) -> int:
    launcher = Launcher(config, _tell)
    with stop_signals():
        try:
            url = launcher.start()
            if is_demo:
                return _demo(url)
            print(_welcome(url, config.api.var_dir), flush=True)
            launcher.keep_running()
        except KeyboardInterrupt:
            _tell("Stopping …")
        finally:
            launcher.stop()
    return 0


def _demo(url: str) -> int:
    # Imported only here: an HTTP client would slow each start down.
    from app.cli.demo import run_demo

    return run_demo(url)


def _welcome(url: str, var_dir: Path) -> str:
    recording = next(iter(demo_files()), None)
    name = os.path.relpath(recording) if recording else "recording.wav"
    return (
        f"\nParloir is ready: {url}   (data: {var_dir}; Ctrl-C stops it)\n"
        f"Try:\n  curl -F audioFile=@{name} {url}/api/batchTranscription/createJob\n"
        f"  curl '{url}/api/batchTranscription/result?job_uuid=…'\n"
    )


def _tell(line: str) -> None:
    print(line, file=sys.stderr, flush=True)
