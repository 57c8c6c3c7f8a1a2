"""Who is measured: versions, how the worker is started as it comes and tuned for small jobs, what it promises."""

from dataclasses import dataclass

ROW = ("psycopg2-binary==2.9.11",)


@dataclass(frozen=True, slots=True)
class Contestant:
    """A queue. `default` and `tuned` are arguments of `command`; `redelivery` is what it says of a lost worker.

    `commits_first`: to put a job in is to commit a row.
    """

    name: str
    module: str
    requirements: tuple[str, ...]
    command: tuple[str, ...]
    default: tuple[str, ...]
    tuned: tuple[str, ...]
    redelivery: str
    table: str = "bench_jobs"
    commits_first: bool = False


OURS = Contestant(
    "ours",
    "ours",
    (),
    ("python", "-m", "benchmarks.queue_peers.ours_worker"),
    ("1",),
    ("4",),
    "lease 15 s + tick 2 s",
    "bench_ours",
    commits_first=True,
)
PEERS = (
    Contestant(
        "Celery",
        "celery_peer",
        ("celery[redis]==5.7.0", *ROW),
        ("celery", "-A", "celery_peer", "worker", "-l", "ERROR", "-P", "prefork"),
        (),
        ("-c", "4", "--without-gossip", "--without-mingle", "--without-heartbeat"),
        "visibility timeout, 1 h",
    ),
    Contestant(
        "RQ",
        "rq_peer",
        ("rq==3.0.0", *ROW),
        ("rq", "worker-pool", "-q", "-u", "unix://{redis}"),
        (),
        ("-n", "4", "-w", "rq.worker.SimpleWorker"),
        "never: the job is failed as abandoned",
    ),
    Contestant(
        "dramatiq",
        "dramatiq_peer",
        ("dramatiq[redis]==2.2.1", *ROW),
        ("dramatiq", "dramatiq_peer", "--skip-logging"),
        (),
        ("-p", "2", "-t", "2"),
        "heartbeat 60 s, seen to by chance",
    ),
    Contestant(
        "arq",
        "arq_peer",
        ("arq==0.28.0", *ROW),
        ("arq", "arq_peer.WorkerSettings"),
        (),
        (),
        "job_timeout + 10 s = 310 s",
    ),
    Contestant(
        "procrastinate",
        "procrastinate_peer",
        ("procrastinate==3.10.0", "psycopg[binary]==3.3.9", *ROW),
        ("procrastinate", "-a", "procrastinate_peer.app", "worker"),
        (),
        ("-c", "10"),
        "never by itself: a task of one's own must look",
        commits_first=True,
    ),
)
