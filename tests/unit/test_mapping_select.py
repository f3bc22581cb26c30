"""Expressions are compiled; what they find must be what JMESPath's own interpreter finds."""

from collections.abc import Iterator
from typing import Any

import jmespath
import pytest
from hypothesis import given
from hypothesis import strategies as st
from jmespath.visitor import TreeInterpreter

from collector.domain.errors import MalformedAnswerError
from collector.mapping.compiled import _BUILDERS
from collector.mapping.decode import decode
from collector.mapping.select import _RUNTIME_ERRORS, ExpressionError, check_expression, select
from collector.mapping.tree import Unended
from fuzz.corpus import Answer, corpus

NAMES = ["t", "temp", '"a.b"', "data", "list", "@", "`0`", "`[1, true]`", "'x'", "`false`"]
LEAVES: Any = st.none() | st.booleans() | st.integers(-5, 5) | st.floats(allow_nan=False) | st.sampled_from(["", "x"])
TREES = st.recursive(
    LEAVES,
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(["t", "temp", "a.b", "data", "list"]), inner)
    ),
    max_leaves=12,
)
FORMS = [
    *("{0} || {1}", "{0} && {1}", "!{0}", "({0} | {1})", "{0} == {1}", "{0} != {1}", "{0} < {1}", "{0} >= {1}"),
    *("[{0}, {1}]", "{{a: {0}, b: {1}}}", "{0} | [?{1}]", "{0} | [?{1}].t", "{0} | [*].temp", "{0} | *.t", "{0} | []"),
    *("{0} | [0]", "{0} | [-1]", "{0} | [1:]", "{0} | [::-1]", "length({0})", "to_number({0})", "type({0})"),
    *("not_null({0}, {1})", "sort_by({0}, &{1})", "max_by({0}, &t)", "map(&{0}, {1})", "keys({0})", "values({0})"),
    *("contains({0}, {1})", "sum({0})", "to_string({0})", "join(',', {0})", "reverse({0})", "merge({0}, {1})"),
]
EXPRESSIONS = st.recursive(
    st.sampled_from(NAMES),
    lambda inner: st.builds(
        lambda form, a, b: f"({form.format(a, b)})" if form[0] != "[" else form.format(a, b),
        st.sampled_from(FORMS),
        inner,
        inner,
    ),
    max_leaves=6,
)


def by_the_interpreter(expression: str, tree: object) -> Any:
    try:
        return jmespath.search(expression, tree)
    except _RUNTIME_ERRORS:
        return MalformedAnswerError


def by_the_product(expression: str, tree: object) -> Any:
    try:
        return select(expression, tree)
    except MalformedAnswerError:
        return MalformedAnswerError


@given(EXPRESSIONS, TREES)
def test_a_compiled_expression_finds_what_the_interpreter_finds(expression: str, tree: object) -> None:
    found, wanted = by_the_product(expression, tree), by_the_interpreter(expression, tree)
    assert (type(found), repr(found)) == (type(wanted), repr(wanted))


def expressions(answer: Answer) -> Iterator[str]:
    profile = answer.profile
    yield from (e for e in (profile.body.root, profile.denied_when, profile.serial_number) if e)
    for rules in profile.measurements:
        yield from (e for e in (rules.select, rules.unit_select, rules.bad_when) if e)


@pytest.mark.parametrize("answer", corpus(None), ids=lambda answer: answer.name)
def test_every_expression_of_a_built_in_profile_finds_the_same(answer: Answer) -> None:
    try:
        tree: Any = decode(answer.profile.body, answer.body)
    except MalformedAnswerError:
        return
    root = answer.profile.body.root
    for place in (tree, by_the_interpreter(root, tree) if root else {}):
        for expression in expressions(answer):
            assert by_the_product(expression, place) == by_the_interpreter(expression, place), expression


def test_an_expression_that_multiplies_its_answer_is_refused() -> None:
    check_expression("{a: a, b: [b, c, d]} | [@.a, @.b]")
    with pytest.raises(ExpressionError, match="copy the answer over 128 times"):
        check_expression(" | ".join(["[@, @]"] * 8 + ["to_string(@)"]))


def test_every_kind_of_node_is_known() -> None:
    visited = {name.removeprefix("visit_") for name in dir(TreeInterpreter) if name.startswith("visit_")}
    assert visited - set(_BUILDERS) == {"key_val_pair"}, "which multi_select_dict reads itself"


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
