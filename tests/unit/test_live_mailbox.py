"""What waits for a client is bounded, and how far it may run ahead."""

from app.domain.live import StreamSpec
from app.queues.live_output import LiveMessage
from app.services.streaming.flow import Flow
from app.services.streaming.mailbox import MAX_WAITING, Mailbox

SECOND = 32_000


def partial(seq: int, text: str = "a") -> LiveMessage:
    return LiveMessage("j", "partial", 1, {"seq": seq, "start": 0, "end": 1, "text": text})


def final(seq: int) -> LiveMessage:
    return LiveMessage("j", "final", 1, {"seq": seq})


def taken(*letters: LiveMessage) -> list[LiveMessage]:
    box = Mailbox("j")
    for letter in letters:
        box.put(letter)
    return box.take(0)


def test_of_partials_only_the_last_waits():
    assert [one.fields["text"] for one in taken(partial(1, "a"), partial(1, "ab"))] == ["ab"]


def test_a_partial_that_became_a_final_is_not_told_any_more():
    assert [one.type for one in taken(partial(1), final(1))] == ["final"]
    assert [one.type for one in taken(final(1), partial(2))] == ["final", "partial"]


def test_a_client_that_reads_nothing_makes_us_keep_a_bounded_number_of_finals():
    waiting = taken(*(final(n) for n in range(1, 10 * MAX_WAITING)))
    assert len(waiting) <= MAX_WAITING
    assert waiting[0].type == "gap"


def test_the_end_is_kept_when_finals_are_dropped():
    end = LiveMessage("j", "completed", 1, {"duration": 1})
    assert end in taken(end, *(final(n) for n in range(1, 3 * MAX_WAITING)))


def test_who_runs_ahead_is_paused_until_most_is_heard():
    flow = Flow(StreamSpec(), 0)
    assert not flow.look(10 * SECOND)
    assert flow.look(11 * SECOND)
    assert flow.is_paused
    flow.read(5 * SECOND)
    assert not flow.look(11 * SECOND)
    flow.read(6 * SECOND)
    assert flow.look(11 * SECOND)
    assert not flow.is_paused


def test_a_session_that_is_gone_on_with_is_not_ahead_of_what_nobody_has_read_yet():
    assert not Flow(StreamSpec(), 60 * SECOND).look(61 * SECOND)
