from itertools import pairwise
from pathlib import Path

import pytest

from simulator.replay import (
    AMBIENT,
    LONGEST_STEP_S,
    NOISE,
    Curve,
    CurveError,
    Playback,
    load_curve,
    shipped_curves,
)

MEMMERT = Path(__file__).parents[3] / "shared/devices/series/memmert_incubator_2025-10-23_2025-11-05.csv"


def write(folder: Path, text: str) -> Path:
    path = folder / "series.csv"
    path.write_text(text)
    return path


def test_values_lie_between_the_recorded_ones(tmp_path: Path) -> None:
    curve = load_curve(write(tmp_path, "elapsed_s,temperature_c,humidity_pct\n0,20,40\n100,30,60\n200,20,40\n"))
    for position, temperature, humidity in [(0, 20, 40), (50, 25, 50), (100, 30, 60), (150, 25, 50)]:
        sample = curve.at(position, serial=1)
        assert sample.temperature_c == pytest.approx(temperature, abs=NOISE["temperature_c"] / 2)
        assert sample.humidity_pct == pytest.approx(humidity, abs=NOISE["humidity_pct"] / 2)


def test_a_curve_loops(tmp_path: Path) -> None:
    curve = load_curve(write(tmp_path, "elapsed_s,temperature_c\n0,20\n100,30\n200,20\n"))
    assert curve.at(50 + 7 * 200, 3).temperature_c == pytest.approx(curve.at(50, 3).temperature_c)


def test_what_the_curve_does_not_hold_is_ambient(tmp_path: Path) -> None:
    sample = load_curve(write(tmp_path, "elapsed_s,temperature_c\n0,20\n100,30\n")).at(10, 1)
    assert sample.pressure_hpa == pytest.approx(AMBIENT["pressure_hpa"], abs=NOISE["pressure_hpa"])
    assert sample.co2_ppm == pytest.approx(AMBIENT["co2_ppm"], abs=NOISE["co2_ppm"])


def test_neighbouring_answers_differ_even_where_the_curve_is_flat(tmp_path: Path) -> None:
    curve = load_curve(write(tmp_path, "elapsed_s,temperature_c\n0,20\n100,20\n"))
    samples = [curve.at(10, serial) for serial in range(1, 1_000)]
    assert all(round(a.temperature_c, 2) != round(b.temperature_c, 2) for a, b in pairwise(samples))


def test_the_same_answer_number_at_the_same_instant_is_the_same(tmp_path: Path) -> None:
    curve = load_curve(write(tmp_path, "elapsed_s,temperature_c\n0,20\n100,30\n"))
    assert Playback(curve).at(1_700_000_000, 17) == Playback(curve).at(1_700_000_000, 17)


def test_speed_and_offset_move_through_the_curve(tmp_path: Path) -> None:
    curve = load_curve(write(tmp_path, "elapsed_s,temperature_c\n0,0\n500,500\n"))
    played = Playback(curve, speed=60, offset_s=100)
    assert played.at(0, 1).temperature_c == pytest.approx(100, abs=1)
    assert played.at(5, 1).temperature_c == pytest.approx(400, abs=1)


def test_rows_without_temperature_and_holes_are_bridged(tmp_path: Path) -> None:
    text = "utc,mode,Temp1Read,HumRead\n2025-10-26T00:00:00+00:00,Timer,26.5,80\n"
    text += "2025-10-26T00:01:00+00:00,PermissionDenied,,\n2025-10-27T00:00:00+00:00,Timer,27.5,\n"
    curve = load_curve(write(tmp_path, text))
    assert curve.times_s == [0.0, LONGEST_STEP_S]
    assert (curve.values["temperature_c"], curve.values["humidity_pct"]) == ([26.5, 27.5], [80.0, 80.0])


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "it needs one of elapsed_s"),
        ("a,b\n1,2\n", "its header has a, b"),
        ("elapsed_s,humidity_pct\n0,4\n1,4\n", "temperature_c"),
        ("elapsed_s,temperature_c\n0,20\n", "fewer than two rows"),
        ("elapsed_s,temperature_c\n0,20\n0,21\n", "time does not rise"),
        ("elapsed_s,temperature_c\n0,20\n1,warm\n", "warm"),
        ("elapsed_s,temperature_c\nyesterday,20\n1,21\n", "yesterday"),
        ("elapsed_s,temperature_c\n0,20\n1\n2,20\n", None),
    ],
)
def test_a_file_that_cannot_be_replayed_says_why(tmp_path: Path, text: str, said: str | None) -> None:
    path = write(tmp_path, text)
    if said is None:
        assert load_curve(path).length_s == 2
        return
    with pytest.raises(CurveError, match="series") as caught:
        load_curve(path)
    assert said in str(caught.value)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(CurveError, match=r"nowhere\.csv: No such file"):
        load_curve(tmp_path / "nowhere.csv")


@pytest.mark.parametrize("curve", shipped_curves(), ids=lambda curve: str(curve.name))
def test_shipped_curves_are_plausible_and_loop_without_a_jump(curve: Curve) -> None:
    ranges = {
        "temperature_c": (15, 40),
        "humidity_pct": (20, 95),
        "co2_ppm": (380, 2_500),
        "pressure_hpa": (990, 1_030),
    }
    assert set(curve.values) == set(ranges)
    for quantity, (low, high) in ranges.items():
        column = curve.values[quantity]
        assert all(low <= value <= high for value in column), quantity
        assert column[0] == pytest.approx(column[-1], rel=0.01), quantity


@pytest.mark.skipif(not MEMMERT.exists(), reason="the recorded Memmert series is not here")
def test_the_memmert_recording_replays() -> None:
    curve = load_curve(MEMMERT)
    assert len(curve.times_s) == 11_402
    assert 24 <= min(curve.values["temperature_c"]) < max(curve.values["temperature_c"]) <= 36
    assert curve.length_s > 5 * 86_400
