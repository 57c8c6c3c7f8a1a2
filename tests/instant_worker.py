"""A batch worker whose children run `instant_child`."""

from app.domain.job import Mode
from app.observability.logging import configure_logging
from config.worker import WorkerConfig
from workers.assembly import build_worker

if __name__ == "__main__":
    config = WorkerConfig.from_env()
    configure_logging(config.log_format, config.log_level)
    build_worker(Mode.BATCH, config, child_module="tests.instant_child").run()
