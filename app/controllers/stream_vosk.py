"""vosk-server's protocol: its clients run unchanged. Each binary message is answered once, in order."""

from simple_websocket import Server

from app.controllers import stream_messages
from app.controllers.context import locale, principal, services
from app.controllers.live_socket import LiveSocket, Stuck
from app.controllers.stream_messages import NORMAL, Problem, close_code, unframed
from app.controllers.stream_talk import talk, unforeseen
from app.controllers.streaming import begun
from app.controllers.vosk_replies import VoskMessage, error_reply, final_reply, parsed, partial_reply
from app.controllers.vosk_turns import VoskTurns
from app.domain.errors import BadRequest
from app.i18n.locales import Locale
from app.schemas.loading import load
from app.schemas.streaming import StreamForm
from app.schemas.vosk import VoskConfig
from app.services.streaming.gateway import Connection
from app.services.streaming.told import Finished, SaidFinal, Told, Trouble

HEARD_WITHIN_S = 10.0
"""A worker that is lost is replaced sooner; after that the client is answered with what there is."""
SAID_WITHIN_S, NOTHING_WITHIN_S = 10.0, 0.5


def vosk(server: Server) -> None:
    """Speak with a client until it ends the stream, or its connection."""
    dialect = _Vosk(locale())
    live = LiveSocket(server, dialect.explain)
    try:
        first = _first_sound(live, dialect)
        if first is None:
            return
        session = begun(dialect.form)
        with services().gateway.connected(principal(), session) as connection:
            talk(live, connection, dialect, _Answering(live, connection, dialect).answer, [first])
    except (Stuck, OSError):
        live.cut()
    except Exception as error:  # noqa: BLE001 - see `unforeseen`
        problem = unforeseen(error)
        live.finish(close_code(problem), dialect.error(problem))


def _first_sound(live: LiveSocket, dialect: "_Vosk") -> bytes | None:
    """The first binary message, after what is configured before it; None if the client ends without any."""
    for message in live.messages():
        if isinstance(message, bytes):
            return message
        said = _understood(message)
        if said.config is not None:
            dialect.form = load(VoskConfig(), said.config)
        if said.is_eof:
            live.finish(NORMAL, dialect.final())
        elif said.is_reset:
            live.send(dialect.final())
    return None


def _understood(text: str) -> VoskMessage:
    said = parsed(text)
    if said is None:
        raise BadRequest(reason="a text message must be a JSON object; sound goes in binary messages")
    return said


class _Vosk:
    """Keeps what is told until it is its turn; only the end is said at once."""

    def __init__(self, locale: Locale) -> None:
        self._locale = locale
        self.form: StreamForm = load(VoskConfig(), {})
        self.turns = VoskTurns()

    def error(self, problem: Problem) -> str:
        return error_reply(problem.code, stream_messages.message_of(problem, self._locale))

    def explain(self, code: int, reason: str) -> str:
        return self.error(unframed(code, reason))

    def tell(self, told: Told) -> str | None:
        self.turns.put(told)
        if isinstance(told, Trouble) and told.is_fatal:
            return self.error(told.error)
        return self.final() if isinstance(told, Finished) else None

    def final(self) -> str:
        """All that was said for good and not answered yet, in one answer."""
        finals, _ = self.turns.take()
        return self._final(finals)

    def turn(self) -> str:
        """The answer to a binary message."""
        finals, so_far = self.turns.take()
        return self._final(finals) if finals else partial_reply(so_far)

    def _final(self, finals: list[SaidFinal]) -> str:
        return final_reply(
            finals, with_words=self.form.options.word_timestamps, max_alternatives=self.form.spec.max_alternatives
        )


class _Answering:
    """Hears a message, waits until the recogniser has too, answers."""

    def __init__(self, live: LiveSocket, connection: Connection, dialect: _Vosk) -> None:
        self._live, self._upstream, self._dialect = live, connection.upstream, dialect

    def answer(self, message: bytes | str) -> None:
        """See `Answer`."""
        if isinstance(message, bytes):
            self._upstream.send(message)
            self._dialect.turns.wait_heard(self._upstream.position, HEARD_WITHIN_S)
            self._live.send(self._dialect.turn())
            return
        said = _understood(message)
        if said.is_eof:
            self._upstream.stop()  # answered when all is said
        elif said.is_reset:
            self._say_all()
            self._live.send(self._dialect.final())

    def _say_all(self) -> None:
        turns = self._dialect.turns
        before = turns.n_finals
        within_s = SAID_WITHIN_S if turns.is_speaking else NOTHING_WITHIN_S
        self._upstream.finalize()
        turns.wait_finals(before + 1, within_s)
