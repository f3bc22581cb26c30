"""Tables."""

import pytest

from tests.unit.decoding import decoded, refused, unended

RULES = {"decoder": "csv"}


@pytest.mark.parametrize(
    ("body", "rules", "tree"),
    [
        ("t,h\r\n21.5, 40\r\n", {}, [{"t": "21.5", "h": "40"}]),
        ("t;h\n21,5;40\n\n22,0;41\n", {"delimiter": ";"}, [{"t": "21,5", "h": "40"}, {"t": "22,0", "h": "41"}]),
        ("t\th\r21.5\t40\r", {"delimiter": "\t"}, [{"t": "21.5", "h": "40"}]),
        ("21.5,40\n22,\n", {"header": False}, [["21.5", "40"], ["22", ""]]),
        ('"a, b","c ""d"""\n"21\n5",x\n', {}, [{"a, b": "21\n5", 'c "d"': "x"}]),
        ("\ufefft,h\n1,2\n\x00\x00", {}, [{"t": "1", "h": "2"}]),
        ("t,h\n", {}, []),
        ("t,h\n,\n", {}, [{"t": "", "h": ""}]),
    ],
)
def test_accepted(body: str, rules: dict[str, object], tree: object) -> None:
    found = decoded(body, **RULES, **rules)
    assert found == tree
    assert unended(found) == []


@pytest.mark.parametrize(
    ("body", "rules", "texts"),
    [
        ("t,h\n21.5,4", {}, ["4"]),
        ("t,h\n21.5,4", {"ends_with": "4"}, []),
        ("t,h\n21.5\n22,41\n", {}, ["21.5"]),
        ("t,h\n21.5\n22,41", {}, ["21.5", "41"]),
        ("21.5,40\n22,4", {"header": False}, ["4"]),
        ("21.5,40,1\n22,41\n", {"header": False}, ["22", "41"]),
        ("time,t,h,co2\n8:00,2\n1.5,40,600\n", {}, ["8:00", "2", "1.5", "40", "600"]),
        ("t,h\n21.5,", {}, [""]),
        ("t,h", {}, []),
    ],
)
def test_what_may_be_cut(body: str, rules: dict[str, object], texts: list[str]) -> None:
    assert unended(decoded(body, **RULES, **rules)) == texts


@pytest.mark.parametrize(
    ("body", "rules", "problem"),
    [
        ("", {}, "decode: the answer is empty"),
        ("t,h\n21,5,40\n", {}, "decode: 3 cells in line 2, and 2 names in the first"),
        ("t,t\n1,2\n", {}, "decode: the key 't' occurs twice in one object"),
        ('t,h\n1,"2', {}, "truncated: not CSV: unexpected end of data at line 2"),
        ('t,h\n"1"5,2\n', {}, "decode: not CSV: ',' expected after '\"' at line 2"),
        ("t,h\n1,2\n", {"ends_with": "END"}, "truncated: the answer does not end with 'END'"),
        ("t,h\n1,2", {"ends_with": "\n"}, "truncated: the answer does not end with '\\n'"),
        ("t\n" + "1" * 140_000, {}, "decode: not CSV: field larger than field limit (131072) at line 2"),
        ("1\n" * 20_001, {"header": False}, "decode: more than 20,000 values"),
        ("," * 20_001, {"header": False}, "decode: more than 20,000 values"),
    ],
)
def test_refused(body: str, rules: dict[str, object], problem: str) -> None:
    assert refused(body, **RULES, **rules) == problem
