"""How a chamber is doing, against a naive reading of its last slots."""

from hypothesis import given, settings
from hypothesis import strategies as st

from collector.domain.health import FAILING_AFTER, Health, Spell, Status


@given(st.lists(st.booleans(), max_size=30))
@settings(deadline=None)
def test_the_status_is_what_the_last_slots_say(went_well: list[bool]) -> None:
    health = Health()
    for slot, good in enumerate(went_well):
        health = health.succeeded(slot) if good else health.failed(slot, f"timeout: {slot}")
    failures = len(went_well) - 1 - max((n for n, good in enumerate(went_well) if good), default=-1)
    assert health.failures == failures
    if failures >= FAILING_AFTER:
        assert health.status is Status.FAILING
    else:
        assert health.status is (Status.COLLECTING if any(went_well) else Status.STARTING)
    assert health.last_reading_ms == max((n for n, good in enumerate(went_well) if good), default=None)
    assert health.last_failure_ms == max((n for n, good in enumerate(went_well) if not good), default=None)


def test_one_reading_ends_failing_and_keeps_what_was_seen() -> None:
    health = Health()
    for slot in range(FAILING_AFTER):
        assert health.status is Status.STARTING
        health = health.failed(slot, "unreachable: refused")
    assert health.status is Status.FAILING
    well = health.succeeded(99)
    assert well.status is Status.COLLECTING
    assert (well.last_reading_ms, well.last_failure, well.last_failure_ms) == (99, "unreachable: refused", 2)


@given(st.text(max_size=2_000))
@settings(deadline=None)
def test_what_failed_is_kept_short(what: str) -> None:
    assert Health().failed(0, what).last_failure == what[:500]


def test_the_last_time_that_it_was_failing_is_remembered() -> None:
    health = Health().succeeded(0)
    for slot in range(1, 6):
        health = health.failed(slot, "timeout: x")
    assert (health.since_ms, health.spell) == (1, None)
    well = health.succeeded(6)
    assert (well.since_ms, well.spell) == (None, Spell(1, 6, 5))
    assert well.failed(7, "timeout: x").succeeded(8).spell == Spell(1, 6, 5), "a hiccup is none"


def test_what_an_older_worker_has_counted_has_no_beginning() -> None:
    assert Health(4, None, "timeout: x", 9).failed(10, "timeout: x").since_ms is None
    assert Health(4, None, "timeout: x", 9, spell=Spell(1, 2, 3)).succeeded(10).spell is None
