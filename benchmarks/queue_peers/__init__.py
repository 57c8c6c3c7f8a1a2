"""One file a queue: how a job is put in, and what its task does. Each runs in the virtual environment of its queue."""
