"""The keys of a live session, and how long they live."""

KEEP_S = 6 * 3600
"""Time without any sign of life after which Redis forgets a session."""

OWNER_LIVES_S = 10
"""Time without a sign of life after which a connection is held to be gone."""


def keys_of(job_id: str) -> tuple[str, str, str]:
    """Input, its state, and the sign of life of the connection that owns it."""
    return f"s:{job_id}:in", f"s:{job_id}:at", f"s:{job_id}:owner"


def channel_of(gateway: str) -> str:
    """Where a gateway process hears of its sessions."""
    return f"live:{gateway}"
