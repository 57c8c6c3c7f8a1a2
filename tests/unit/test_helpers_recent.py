from app.helpers.recent import Recent


def test_an_answer_is_given_again_until_it_is_too_old():
    now = [100.0]
    recent = Recent(5.0, clock=lambda: now[0])
    recent.keep("a", 1)
    now[0] = 104.9
    assert recent.get("a") == 1
    now[0] = 105.0
    assert recent.get("a") is None


def test_what_was_never_kept_is_not_known():
    assert Recent(5.0).get("a") is None


def test_no_more_answers_are_kept_than_allowed():
    recent = Recent(5.0, max_n=2)
    for key in ("a", "b", "c"):
        recent.keep(key, key)
    assert [recent.get(key) for key in ("a", "b", "c")] == [None, None, "c"]


def test_everything_can_be_forgotten():
    recent = Recent(5.0)
    recent.keep("a", 1)
    recent.clear()
    assert recent.get("a") is None
