"""`python -m benchmarks`: every measurement, one after the other."""

import subprocess
import sys

SCRIPTS = (
    "api_process",
    "claim_latency",
    "pipeline_overhead",
    "embedded_wer",
    "live_wer",
    "dialogue",
    "streaming",
    "page",
)

if __name__ == "__main__":
    failed = [
        name for name in SCRIPTS if subprocess.run([sys.executable, "-m", f"benchmarks.{name}"], check=False).returncode
    ]
    sys.exit(f"did not run to the end: {', '.join(failed)}" if failed else 0)
