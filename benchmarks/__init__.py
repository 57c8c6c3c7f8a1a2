"""What we claim, measured; each script can be run by anyone: `python -m benchmarks.NAME`."""
