"""Our own queue: `enqueue` is what the API does once a recording is on storage, the row's commit included."""

from pathlib import Path

from sqlalchemy import create_engine

from app.domain.job import JobOptions, Mode
from app.domain.principal import ANONYMOUS
from app.helpers.database_url import with_driver
from app.observability.logging import configure_logging
from app.services.container import Services, build_services
from app.services.jobs.request import SubmitJob
from app.services.jobs.submission import Defaults
from config.worker import WorkerConfig

TABLE = "bench_ours"
WAV = b"RIFF\x24\0\0\0WAVEfmt \x10\0\0\0\1\0\1\0\x80\x3e\0\0\0\x7d\0\0\2\0\x10\0data\0\0\0\0"


def services() -> Services:
    """The services of an API process."""
    config = WorkerConfig.from_env()
    return build_services(
        create_engine(with_driver(config.database_url)),
        redis_url=config.redis_url,
        storage_dir=Path(config.storage_dir),
        weights_dir=Path(config.weights_dir),
        defaults=Defaults(language="en"),
        offload=lambda action: action(),
    )


configure_logging("json", "WARNING")
_services = services()
_upload = _services.storage.receive(1000)
_upload.write(WAV)
_audio = _upload.keep()


def enqueue(_job_id: object, enqueued_at: object, kind: object, seconds: object) -> None:
    """Each job is of the same recording, which is uploaded before the clock starts."""
    # A prompt tells the child to hold on; of the engines that are here, the tests' own takes one.
    lingers = JobOptions(engine="scripted", prompt=f"{kind}:{seconds}")
    options = JobOptions() if kind == "noop" else lingers
    metadata = {"enqueued_at": enqueued_at}
    _services.submissions.submit(ANONYMOUS, SubmitJob(Mode.BATCH, _audio, "a.wav", options, metadata=metadata))
