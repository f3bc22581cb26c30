"""The nastiest bodies of 1 MiB: each is decoded or refused in little time, and in little memory."""

import gc
import time
import tracemalloc
from collections.abc import Callable, Mapping
from typing import Any

import pytest

from collector.domain.errors import SlotFailedError
from collector.mapping.answer import map_answer
from collector.mapping.profile import Profile
from collector.mapping.request_rules import MAX_BYTES_CEILING

PEAK = 16 * 1024 * 1024
CPU_S = 8.0
"""Traced, which takes four times as long; five times what the slowest takes, on a machine that others use, too."""
WIDE = "\u2103"
"""One such character makes every character of its text two bytes."""
WIDER = "\U0001f321"
"""And this one four."""


def filled(piece: str, before: str = "", after: str = "") -> str:
    room = MAX_BYTES_CEILING - len((before + after).encode())
    return before + piece * (room // len(piece.encode())) + after


def numbered(form: Callable[[int], str], count: int, between: str = "") -> str:
    return between.join(form(n) for n in range(count))[:MAX_BYTES_CEILING]


JSON = {
    "empty lists": filled("[],", "[", "[]]"),
    "as many nodes as may be": "[" + "[]," * 19_998 + "[]]",
    "objects of one key": "[" + '{"a":{}},' * 9_990 + "{}]",
    "other keys in each": "[" + numbered(lambda n: f'{{"k{n}":{n}}},', 9_990) + "{}]",
    "one object": "{" + numbered(lambda n: f'"k{n}":{n}.5', 19_990, ",") + "}",
    "deep": "[" * 500_000 + "]" * 500_000,
    "unclosed": filled("["),
    "deep as may be": filled("1", "[" * 60 + '"', '"' + "]" * 60),
    "a long number": filled("9", "[", "]"),
    "long numbers": "[" + ("9" * 4000 + ",") * 250 + "1]",
    "long fractions": "[" + ("0." + "9" * 4000 + ",") * 250 + "1]",
    "a wide text": filled("x", f'{{"t": "{WIDE}', '"}'),
    "wide texts": filled("x", f'{{"t": "{WIDE}', '"}')[: MAX_BYTES_CEILING // 2].rstrip("x") + "x" * 99 + '"}',
    "a wider text": filled("x", f'{{"t": "{WIDER}', '"}'),
    "a wider text of half the size": filled("x", f'{{"t": "{WIDER}', '"}')[: MAX_BYTES_CEILING * 5 // 8] + '"}',
    "escapes": filled("\\u00b0", '["', '"]'),
    "escaped quotes": filled('\\"', '["', '"]'),
    "quotes": filled('"'),
    "commas in a text": filled(",", '["', '"]'),
    "blanks": filled(" ", "[", "]"),
    "lines": filled("\n", "[1", "x]"),
    "NULs": filled("\x00", "{}"),
    "NULs inside": filled("\x00", "{", "}"),
}
FRAGMENTS = {
    "pairs": filled("a:1,"),
    "other pairs": numbered(lambda n: f"k{n}:1,\n", 19_990),
    "deep": filled("a:{"),
    "lists": filled("[],", "a:[", "],"),
    "lists as many as may be": "a:[" + "[]," * 19_000 + "],",
    "a long word": filled("x", "a:", ","),
    "a wide word": filled("x", f"a:{WIDE}", ","),
    "a long key": filled("x", "", ":1,"),
    "a long key without an end": filled("x"),
    "a long text": filled("x", 'a:"', '",'),
    "a text without an end": filled("x", 'a:"'),
    "escapes": filled("\\n", 'a:"', '",'),
    "backslashes": filled("\\"),
    "blanks": filled(" ", "a:", "1,"),
    "blanks in a word": filled("x ", "a:", ","),
    "a long number": filled("9", "a:", ","),
    "colons": filled(":", "a"),
    "quotes": filled('""'),
    "curly quotes": filled("\u201c"),
}
XML = {
    "elements": filled("<a/>", "<r>", "</r>"),
    "elements as many as may be": "<r>" + "<a/>" * 19_998 + "</r>",
    "other elements": "<r>" + numbered(lambda n: f"<a{n}>{n}</a{n}>", 19_990) + "</r>",
    "elements with attributes": "<r>" + '<a b="1"/>' * 9_990 + "</r>",
    "attributes": "<r " + numbered(lambda n: f'a{n}="1"', 60_000, " ") + "/>",
    "attributes as many as may be": "<r " + numbered(lambda n: f'a{n}="1"', 19_990, " ") + "/>",
    "namespaces": "<r " + numbered(lambda n: f'xmlns:n{n}="u{n}"', 19_000, " ") + "/>",
    "deep": filled("<a>"),
    "deep pairs": "<a>" * 30_000 + "</a>" * 30_000,
    "a long text": filled("x", "<r>", "</r>"),
    "a wide text": filled("x", f"<r>{WIDE}", "</r>"),
    "a long attribute": filled("x", '<r a="', '"/>'),
    "an attribute without an end": filled("x", '<r a="'),
    "a long name": filled("x", "<", "/>"),
    "a name without an end": filled("x", "<"),
    "a comment": filled("-x", "<r><!--", "--></r>"),
    "a comment without an end": filled("x", "<r><!--"),
    "CDATA": filled("]]", "<r><![CDATA[", "]]></r>"),
    "references": filled("&amp;", "<r>", "</r>"),
    "openings": filled("<"),
    "blanks": filled(" ", "<r", "/>"),
    "mixed": "<r>" + "<a/>x" * 19_000 + "</r>",
    "blank and text": filled("x \n", "<r>", "</r>"),
    "an entity bomb": '<!DOCTYPE a [<!ENTITY a "'
    + filled("x", "", "&" * 9)[:900_000]
    + '"><!ENTITY b "&a;&a;">]><a>&b;</a>',
    "instructions": filled("<?a b?>", "<r>", "</r>"),
    "declaration": filled(" ", "<?xml version='1.0'", "encoding='utf-8'?><r/>"),
}
CSV = {
    "delimiters": filled(","),
    "lines": filled("\n"),
    "returns": filled("\r"),
    "rows": filled("1\n"),
    "rows of two": numbered(lambda n: f"{n},{n}\n", 9_990),
    "names": numbered(lambda n: f"n{n}", 19_990, ","),
    "one wide row": numbered(lambda n: f"n{n}", 9_990, ",") + "\n" + "1," * 9_989 + "1\n",
    "short rows": numbered(lambda n: f"n{n}", 4_000, ",") + "\n" + "1\n" * 15_000,
    "a long cell": filled("x", "", "\n"),
    "long cells": ("x" * 130_000 + "\n") * 8,
    "quotes": filled('"'),
    "quoted lines": filled("\n", '"', '"'),
    "a wide cell": WIDE + ("x" * 130_000 + "\n") * 8,
    "wide cells": WIDE + (WIDE + "x" * 130_000 + "\n") * 8,
    "wider cells": (WIDER + "x" * 130_000 + "\n") * 4,
    "NULs": filled("\x00", "a,b\n1,2"),
}
PAIRS = {
    "pairs": filled("a=1\n"),
    "other pairs": numbered(lambda n: f"k{n}=1\n", 19_990),
    "separators": filled(","),
    "equals": filled("="),
    "a long key": filled("x", "", "=1"),
    "a long value": filled("x", "a="),
    "a wide value": filled("x", f"a={WIDE}"),
    "a wider value": filled("x", f"a={WIDER}")[: MAX_BYTES_CEILING * 5 // 8],
    "blanks": filled(" ", "a=", "1"),
    "blank lines": filled(" \n", "a=1"),
    "returns": filled("\r", "a=1"),
}
METRICS = {
    "samples": filled("a 1\n"),
    "other samples": numbered(lambda n: f"k{n} 1\n", 6_600),
    "samples without blanks": numbered(lambda n: f'k{n}{{a="1"}}6\n', 4_900),
    "labels": "a{" + numbered(lambda n: f'l{n}="x"', 300, ",") + "} 1\n",
    "lines of labels": ("a{" + numbered(lambda n: f'l{n}="x"', 300, ",") + "} 1\n") * 60,
    "lines of broken labels": "".join(
        f"a{m}{{" + numbered(lambda n: f'l{n}="x"', 300, ",") + "}1\n" for m in range(60)
    ),
    "one line": filled('l="x",', "a{", "} 1"),
    "quotes": ("a{b=" + '"' * 4000 + "} 1\n") * 250,
    "escapes": ('a{b="' + "\\" * 4000 + '"} 1\n') * 250,
    "braces": ("{" * 4000 + "\n") * 250,
    "ends of braces": ("a{" + "}" * 4000 + "\n") * 250,
    "blanks": ("a" + " " * 4000 + "1 x\n") * 250,
    "comments": filled("#\n"),
    "one comment": filled("#"),
    "one wide comment": filled("#", WIDE),
}
TEXTS = {
    "as": filled("a"),
    "as, fewer": "a" * 8_000,
    "as, as many as may be": "a" * 40_000,
    "a wider text": WIDER + "a" * 39_999,
    "lines": "a=\n" * 13_000,
}
PATTERNS = (
    r"(?P<x>.)+",
    r"(?P<x>(?:a|aa)+)+b",
    r"(?P<x>.*)(?P<y>a{900})(?P<z>a{900})(?P<w>.*)",
    r"(?s)(?:(?P<x>.)(?P<y>.)?)+?$",
    r"(?P<x>(?:[^=]*=?)*)#",
    "(?P<x>" + "(" * 19 + "." + ")" * 19 + ")+",
    r"(?P<x>(?:a?){900})(?P<y>b?){900}c",
)
MEASUREMENTS = [
    {"name": "a", "select": "a", "unit": "C"},
    {"name": "b", "select": "[*].a | [-1]", "unit": "C"},
    {"name": "c", "select": "max(values(@))", "unit": "C"},
    {"name": "d", "select": "r.a[?b=='1'] | [0].text", "unit": "C"},
]


def cases() -> list[Any]:
    plain = {
        "json": JSON,
        "json-fragment": FRAGMENTS,
        "xml": XML,
        "csv": CSV,
        "key-value": PAIRS,
        "prometheus": METRICS,
    }
    found: list[tuple[str, str, str, Mapping[str, Any]]] = [
        (decoder, name, body, {}) for decoder, bodies in plain.items() for name, body in bodies.items()
    ]
    found += [("csv", f"{name}, no header", CSV[name], {"header": False}) for name in ("delimiters", "rows of two")]
    found += [("key-value", f"{name}, commas", PAIRS[name], {"pairs": ","}) for name in ("separators", "a wider value")]
    paths = {"a": ".//a", "b": ".//*/..", "c": ".//*[.='x']", "d": ".//a[@b='1']"}
    nasty = ("elements as many as may be", "attributes as many as may be", "mixed", "a wide text", "references")
    found += [("xml", f"{name}, paths", XML[name], {"elements": paths}) for name in nasty]
    found += [("text", f"{name}, {p}", body, {"pattern": p}) for name, body in TEXTS.items() for p in PATTERNS]
    table = {"columns": {"names": "n", "rows": "r"}}
    found += [("json", "a table", '{"n": ["a"], "r": [' + "[1]," * 9_900 + "[1]]}", table)]
    return [pytest.param(decoder, body, rules, id=f"{decoder}: {name}") for decoder, name, body, rules in found]


@pytest.mark.parametrize(("decoder", "text", "rules"), cases())
def test_the_worst_body_is_bounded(decoder: str, text: str, rules: Mapping[str, Any]) -> None:
    body = text.encode()
    assert len(body) <= MAX_BYTES_CEILING + 100
    profile = Profile.model_validate({"name": "x", "body": {"decoder": decoder, **rules}, "measurements": MEASUREMENTS})
    outcome(profile, b"x")
    gc.collect()
    tracemalloc.start()
    began = time.process_time()
    try:
        outcome(profile, body)
        spent, peak = time.process_time() - began, tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak + len(body) < PEAK
    assert spent < CPU_S


def outcome(profile: Profile, body: bytes) -> object:
    try:
        return map_answer(profile, body)
    except SlotFailedError as error:
        return error.detail
