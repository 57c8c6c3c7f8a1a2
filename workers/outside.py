"""What a worker's settings say of the world outside."""

from app.outbound.client import Outbound
from app.outbound.guard import Guard
from config.worker import WorkerConfig


def build_outbound(config: WorkerConfig) -> Outbound:
    """The client for clients' URLs."""
    return Outbound(Guard(allow_private=config.allow_private_urls, hosts=config.url_hosts))
