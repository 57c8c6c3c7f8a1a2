"""`python -m benchmarks`: every measurement, one after the other."""

import subprocess
import sys

<<<<<<< HEAD
SCRIPTS = ("api_process", "claim_latency", "pipeline_overhead", "embedded_wer", "live_wer", "dialogue")
=======
SCRIPTS = ("api_process", "claim_latency", "pipeline_overhead", "embedded_wer", "live_wer", "streaming")
>>>>>>> live-more

if __name__ == "__main__":
    failed = [
        name for name in SCRIPTS if subprocess.run([sys.executable, "-m", f"benchmarks.{name}"], check=False).returncode
    ]
    sys.exit(f"did not run to the end: {', '.join(failed)}" if failed else 0)
