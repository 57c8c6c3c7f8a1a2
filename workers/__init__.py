"""Worker processes: a supervisor without ML and its warm children."""
