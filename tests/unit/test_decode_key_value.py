"""Pairs of key and value."""

import pytest

from tests.unit.decoding import decoded, refused, unended

DAIKIN = {"decoder": "key-value", "pairs": ","}


@pytest.mark.parametrize(
    ("body", "rules", "tree"),
    [
        ("ret=OK,htemp=25.0,hhum=-,", {"pairs": ","}, {"ret": "OK", "htemp": "25.0", "hhum": "-"}),
        ("t = 21.5\r\nh=40\r\n\r\n", {}, {"t": "21.5", "h": "40"}),
        ("t: 21.5; h: 40;\nn: a:b\n", {"pairs": ";", "between": ":"}, {"t": "21.5", "h": "40", "n": "a:b"}),
        ("t 21.5\nh  40 %\n", {"between": " "}, {"t": "21.5", "h": "40 %"}),
        ("t=1 h=2 ", {"pairs": " "}, {"t": "1", "h": "2"}),
        ("t=\n", {}, {"t": ""}),
        ("t=1&h=2&\n\x00", {"pairs": "&"}, {"t": "1", "h": "2"}),
    ],
)
def test_accepted(body: str, rules: dict[str, object], tree: object) -> None:
    found = decoded(body, decoder="key-value", **rules)
    assert found == tree
    assert unended(found) == []


@pytest.mark.parametrize(
    ("body", "rules", "texts"),
    [
        ("ret=OK,htemp=2", {}, ["2"]),
        ("ret=OK,htemp=2 ", {}, ["2"]),
        ("ret=OK,htemp=2\x00", {}, ["2"]),
        ("ret=OK,htemp=25.0,", {}, []),
        ("ret=OK,htemp=25.0\r\n", {}, []),
        ("ret=OK,htemp=25.0", {"ends_with": "0"}, []),
        ("ret=OK", {}, ["OK"]),
    ],
)
def test_what_may_be_cut(body: str, rules: dict[str, object], texts: list[str]) -> None:
    assert unended(decoded(body, **DAIKIN, **rules)) == texts


@pytest.mark.parametrize(
    ("body", "rules", "problem"),
    [
        ("", {}, "decode: the answer is empty"),
        (",\n,", {}, None),
        ("ret=OK,25.0", {}, "decode: no '=' in '25.0'"),
        ("<html><body>Login</body></html>", {}, "decode: no '=' in '<html><body>Login</body></html>'"),
        ("ret=OK,=5", {}, "decode: no key before '=5'"),
        ("t=1,t=2,", {}, "decode: the key 't' occurs twice in one object"),
        ("t=1,", {"ends_with": "END"}, "truncated: the answer does not end with 'END'"),
        ("a=1\n" * 20_001, {}, "decode: more than 20,000 values"),
        ("," * 20_001, {}, "decode: more than 20,000 values"),
    ],
)
def test_refused(body: str, rules: dict[str, object], problem: str | None) -> None:
    if problem is None:
        assert decoded(body, **DAIKIN, **rules) == {}
    else:
        assert refused(body, **DAIKIN, **rules) == problem
