"""How long to wait for more."""

from app.helpers.gathering import AT_MOST_S, gather_s


def test_one_alone_is_hardly_waited_with():
    assert gather_s(1) < 0.0001


def test_the_more_there_are_the_longer_it_takes_up_to_a_limit():
    waits = [gather_s(n) for n in (0, 10, 100, 200, 400)]
    assert waits == sorted(set(waits))
    assert gather_s(10_000) == AT_MOST_S
