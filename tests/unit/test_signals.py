"""What signals told: bounded while it waits, counted past the bound, and each with a key of its own."""

from dataclasses import asdict

from hypothesis import given
from hypothesis import strategies as st

from collector.domain.signals import TEXT_LIMIT, WAITING_LIMIT_BYTES, Said, Signals, hear, settle
from tests.unit.model_loop import encoded

TEXTS = st.text(max_size=2_000)


@given(st.lists(st.builds(Said, signal=TEXTS, at_ms=st.just(1_790_000_000_000), by=TEXTS, reason=TEXTS), max_size=60))
def test_whatever_is_said_what_waits_is_bounded_and_nothing_is_forgotten(said: list[Said]) -> None:
    signals = Signals()
    for one in said:
        hear(signals, one, "f" * 36)
    assert len(signals.waiting) + signals.dropped == signals.heard == len(said)
    assert len({event.key for event in signals.waiting}) == len(signals.waiting)
    travels = len(encoded([asdict(event) for event in signals.waiting]))
    assert travels <= WAITING_LIMIT_BYTES + 2


def test_what_did_not_fit_becomes_one_event_once_others_are_stored() -> None:
    signals = Signals()
    while not signals.dropped:
        hear(signals, Said("pause", 7, by="x" * TEXT_LIMIT), "run")
    hear(signals, Said("pause", 8), "run")
    dropped, first = signals.dropped, signals.waiting[0].key
    settle(signals, [], 9, "run")
    assert signals.dropped == dropped, "nothing was stored yet"
    settle(signals, [first], 9, "run")
    assert first not in {event.key for event in signals.waiting}
    last = signals.waiting[-1]
    assert (last.signal, last.at_ms, last.ignored, signals.dropped) == ("overflow", 9, True, 0)
    assert last.detail.startswith(f"{dropped} signals")


def test_a_key_names_the_run_a_number_and_the_instant() -> None:
    signals = Signals()
    for at_ms in (5, 5):
        hear(signals, Said("pause", at_ms), "run")
    assert [event.key for event in signals.waiting] == ["signal/run/1/5", "signal/run/2/5"]
