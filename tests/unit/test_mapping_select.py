"""Names and alternatives of names are found without JMESPath's interpreter; what is found must be the same."""

from typing import Any

import jmespath
import pytest
from hypothesis import given
from hypothesis import strategies as st

from collector.domain.errors import MalformedAnswerError
from collector.mapping.select import _direct, _search, select
from collector.mapping.tree import Unended

NAMES = ["t", "temp", '"a.b"', "data", "list"]
LEAVES: Any = st.none() | st.booleans() | st.integers(-5, 5) | st.floats(allow_nan=False) | st.sampled_from(["", "x"])
TREES = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["t", "temp", "a.b", "data"]), inner),
    max_leaves=8,
)
EXPRESSIONS = st.recursive(
    st.sampled_from(NAMES),
    lambda inner: st.tuples(inner, st.sampled_from([" || ", "."]), inner).map("".join),
    max_leaves=5,
)


@given(EXPRESSIONS, TREES)
def test_a_direct_search_finds_what_jmespath_finds(expression: str, tree: object) -> None:
    found, wanted = select(expression, tree), jmespath.search(expression, tree)
    assert (type(found), found) == (type(wanted), wanted)


@pytest.mark.parametrize("expression", ["t", "t || temp", '"a.b"', "data.t", "data.t || t || data.temp"])
def test_names_and_alternatives_are_direct(expression: str) -> None:
    assert _direct(jmespath.compile(expression).parsed) is not None


@pytest.mark.parametrize(
    "expression", ["list[0]", "length(t)", "t && temp", "*.t", "data.list[?t]", "t || list[0]", "@"]
)
def test_everything_else_is_jmespaths(expression: str) -> None:
    assert _direct(jmespath.compile(expression).parsed) is None
    assert _search(expression)({"list": [1], "t": "x"}) == jmespath.search(expression, {"list": [1], "t": "x"})


@pytest.mark.parametrize(
    ("expression", "found", "doubtful"),
    [
        ("u", "4", True),
        ("to_number(u)", "4", True),
        ("not_null(x, u)", "4", True),
        ("length(u)", "1", True),
        ("join('', [t, u])", None, False),
        ("to_number(t)", 21.5, False),
        ("starts_with(u, '4')", True, False),
        ("u == '4'", True, False),
    ],
)
def test_what_functions_make_of_a_text_without_an_end_is_doubtful_too(
    expression: str, found: object, doubtful: bool
) -> None:
    tree = {"t": "21.5", "u": Unended("4")}
    if found is None:
        with pytest.raises(MalformedAnswerError):
            select(expression, tree)
        return
    seen = select(expression, tree)
    assert seen == found
    assert isinstance(seen, Unended) is doubtful
