"""A live session over a socket, whatever the dialect: one side listens to the client, the other speaks to it."""

import threading
from collections.abc import Callable, Iterator, Sequence
from itertools import chain
from typing import Protocol

import structlog
from flask import request

from app.controllers.live_socket import STUCK_S, LiveSocket, Stuck
from app.controllers.sockets import require_handshake
from app.controllers.stream_messages import NORMAL, close_code
from app.domain.errors import ParloirError, SlowReader
from app.domain.job import JobFailure
from app.services.streaming.gateway import Connection
from app.services.streaming.told import Finished, Tick, Told, Trouble

log = structlog.get_logger(__name__)

Answer = Callable[[bytes | str], None]


class Dialect(Protocol):
    """How clients of a kind are spoken to."""

    def tell(self, told: Told) -> str | None:
        """The message for something that is told, if there is one."""

    def error(self, problem: ParloirError | JobFailure) -> str:
        """The message that something is wrong."""


def admit_stream() -> None:
    """Let pass what can be upgraded; compression is not taken up: it costs much for sound, which it does not shrink.

    Raises:
        BadRequest: it is no WebSocket handshake.
    """
    require_handshake()
    request.environ.pop("HTTP_SEC_WEBSOCKET_EXTENSIONS", None)


def unforeseen(error: Exception) -> ParloirError:
    """What a client is told of an error, which must not get out: it would be written into the socket as HTTP."""
    if isinstance(error, ParloirError):
        return error
    log.error("live_socket_failed", exc_info=error)
    return ParloirError()


def talk(
    live: LiveSocket, connection: Connection, dialect: Dialect, answer: Answer, first: Sequence[bytes | str] = ()
) -> None:
    """Until either side ends: `answer` is called with all that the client sends; `first` came already."""
    live.be_looked_after()
    teller = threading.Thread(target=_tell, args=(live, connection, dialect), name="live-teller", daemon=True)
    teller.start()
    try:
        _listen(chain(first, live.messages()), connection, answer)
    except (Stuck, OSError):
        log.info("socket_lost", job_id=connection.session.job.id)
    finally:
        connection.hang_up()
        live.cut()
        teller.join()


def _listen(messages: Iterator[bytes | str], connection: Connection, answer: Answer) -> None:
    is_refused = False
    for message in messages:
        if is_refused:
            continue
        try:
            answer(message)
        except (Stuck, OSError):
            raise
        except Exception as error:  # noqa: BLE001 - see `unforeseen`
            is_refused = True
            connection.trouble(unforeseen(error))


def _tell(live: LiveSocket, connection: Connection, dialect: Dialect) -> None:
    try:
        for told in connection.told():
            if _is_last(told):
                _end(live, connection, dialect, told)
                return
            if isinstance(told, Tick):
                live.look()
            elif (text := dialect.tell(told)) is not None:
                live.send(text)
    except Stuck:
        _end(live, connection, dialect, Trouble(SlowReader(stuck_s=round(STUCK_S))))
    except OSError:
        live.cut()
    except Exception as error:  # noqa: BLE001 - see `unforeseen`
        _end(live, connection, dialect, Trouble(unforeseen(error)))


def _is_last(told: Told) -> bool:
    return isinstance(told, Finished) or (isinstance(told, Trouble) and told.is_fatal)


def _end(live: LiveSocket, connection: Connection, dialect: Dialect, told: Told) -> None:
    connection.hang_up()
    last = dialect.tell(told)
    live.close(close_code(told.error) if isinstance(told, Trouble) else NORMAL, last)
