"""The limits as a setting writes them."""

import pytest

from collector.domain.access import Traffic
from collector.domain.errors import InvalidFieldError
from collector.domain.rates import DEFAULT_RATES, RateRule, parse_rates


def test_nothing_said_is_the_standard_and_each_class_has_one() -> None:
    assert parse_rates("") == parse_rates(" , ") == DEFAULT_RATES
    assert set(DEFAULT_RATES) == set(Traffic)


def test_what_is_said_stands_for_its_class_alone() -> None:
    told = parse_rates(" read=600/60s, sign-in = 3/10s ,account=5/86400s")
    changed = {
        Traffic.READ: RateRule(600, 60),
        Traffic.SIGN_IN: RateRule(3, 10),
        Traffic.ACCOUNT: RateRule(5, 86_400),
    }
    assert told == {**DEFAULT_RATES, **changed}


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("read", "'read' is no limit"),
        ("read=600/60", "'read=600/60' is no limit"),
        ("read=600/1m", "'read=600/1m' is no limit"),
        ("read=-1/60s", "'read=-1/60s' is no limit"),
        ("read=0/60s", "'read=0/60s' is out of range"),
        ("read=1/0s", "'read=1/0s' is out of range"),
        ("read=1/86401s", "'read=1/86401s' is out of range"),
        ("reads=1/1s", "there is no class 'reads'"),
        ("read=1/1s,read=2/1s", "read is there twice"),
        ("read=\u0661/1s", "is no limit"),
        ("x" * 500, "is no limit"),
    ],
)
def test_what_is_no_limit_is_refused_by_the_variables_name(text: str, problem: str) -> None:
    with pytest.raises(InvalidFieldError) as refused:
        parse_rates(text)
    assert refused.value.field == "CHAMBERLOG_RATE_LIMITS"
    assert problem in refused.value.problem
    assert len(str(refused.value)) < 300


@pytest.mark.parametrize(
    ("previous", "current", "left_s", "wait_s"),
    [(0, 10, 4.0, 4.0), (10, 10, 4.0, 4.0), (10, 0, 60.0, 0.0), (20, 5, 45.0, 30.0), (10, 4, 1.0, 0.0)],
)
def test_how_long_until_there_is_room(previous: int, current: int, left_s: float, wait_s: float) -> None:
    assert RateRule(10, 60).until_room_s(previous, current, left_s) == wait_s
