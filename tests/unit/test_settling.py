"""Rules of the ledger that every store keeps alike."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from collector.domain.chamber import ChamberSpec, Pause
from collector.domain.outcome import Change, EpochEnd, Gap, GapReason, Measurement, Reading
from collector.domain.settling import LAST_INSTANT_MS, apply_change, clean, poisoned, storable, window_of

SPEC = ChamberSpec(
    id="c",
    organization="default",
    section="default",
    url="http://192.0.2.7/",
    profile="generic-json",
    interval_ms=60_000,
    timeout_ms=10_000,
    version=3,
)
HOUR = 3_600_000
WINDOW = window_of(1_000_000, SPEC, 100 * HOUR)


def reading(slot_ms: int) -> Reading:
    return Reading(slot_ms, slot_ms, slot_ms, (Measurement("temperature", 1.0, "Cel"),), 1)


def test_the_window_ends_a_round_and_an_hour_from_now() -> None:
    last_ms = 100 * HOUR + 300_000 + HOUR
    assert storable(reading(last_ms), WINDOW) == reading(last_ms)
    refused = storable(reading(last_ms + 1), WINDOW)
    assert isinstance(refused, Gap)
    assert (refused.first_ms, refused.last_ms, refused.reason) == (last_ms + 1, last_ms + 1, GapReason.MISCONFIGURED)
    longer = window_of(1_000_000, replace(SPEC, round_span_ms=HOUR), 100 * HOUR)
    assert storable(reading(102 * HOUR), longer) == reading(102 * HOUR)


@given(first_ms=st.integers(-(2**70), 2**70), lasts_ms=st.none() | st.integers(0, 2**70), until_ms=st.integers())
def test_whatever_becomes_of_a_gap_its_instants_can_be_shown(
    first_ms: int, lasts_ms: int | None, until_ms: int
) -> None:
    last_ms = None if lasts_ms is None else first_ms + lasts_ms
    kept = storable(Gap(first_ms, last_ms, GapReason.PAUSED, until_ms=until_ms), WINDOW)
    assert isinstance(kept, Gap)
    assert kept.first_ms <= LAST_INSTANT_MS
    assert kept.until_ms is None or 0 <= kept.until_ms <= LAST_INSTANT_MS


@given(text=st.text(st.characters(), max_size=50))
def test_a_clean_text_can_be_encoded_and_has_no_nul(text: str) -> None:
    cleaned = clean(text)
    assert "\x00" not in cleaned
    assert cleaned.encode().decode() == cleaned
    assert clean(cleaned) == cleaned
    assert len(cleaned) == len(text)


def test_a_refused_outcome_becomes_malformed_with_its_sqlstate() -> None:
    gap = poisoned(EpochEnd(7), "22P02", "what\x00" + "x" * 5_000)
    assert gap is not None
    assert (gap.first_ms, gap.last_ms, gap.reason) == (7, 7, GapReason.MALFORMED)
    assert gap.detail.startswith("sqlstate 22P02: what")
    assert len(gap.detail) == 1024
    assert poisoned(Gap(3, 9, GapReason.LOST), "23514", "") == Gap(3, 9, GapReason.MALFORMED, "sqlstate 23514: ")
    assert poisoned(Change(1, "pause"), "22008", "") is None


@given(st.sampled_from(["pause", "resume", "set_interval"]), st.integers(1_000, 86_400_000), st.booleans())
def test_a_change_applies_once(kind: str, interval_ms: int, paused: bool) -> None:
    pause = Pause(5, "door") if paused else None
    change = Change(3, kind, "filter", "anna", 99, 7, interval_ms)

    first = apply_change(SPEC, pause, change)
    second = apply_change(first.spec, first.pause, change)

    assert first.lost == second.lost == ""
    assert first.spec.version == 4
    assert (second.spec, second.pause) == (first.spec, first.pause)
    assert first.spec.timeout_ms <= first.spec.interval_ms
    if kind != "set_interval":
        assert first.spec == replace(SPEC, version=4)
        assert first.pause == (Pause(7, "filter", "anna", 99) if kind == "pause" else None)


@given(st.integers(-3, 10).filter(lambda version: version not in (2, 3)))
def test_a_change_on_another_version_is_lost(version: int) -> None:
    changed = apply_change(SPEC, None, Change(version, "pause", since_ms=1))
    assert (changed.spec, changed.pause) == (SPEC, None)
    assert f"version {version}" in changed.lost
    assert "version 3" in changed.lost
