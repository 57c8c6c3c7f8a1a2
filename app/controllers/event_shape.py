"""The shape in which events are sent, over both server-sent events and WebSockets."""

import json

from app.queues.events import Event


def to_wire(event: Event) -> str:
    """An event as JSON on one line; `seq` is what to go on after."""
    told = {"type": event.type, "job_id": event.job_id, "seq": event.seq, **event.fields}
    return json.dumps(told, ensure_ascii=False, separators=(",", ":"))
