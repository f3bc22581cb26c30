"""XML without its dangers."""

import pytest

from collector.mapping.decode import DEPTH_LIMIT
from tests.unit.decoding import decoded, refused

RULES = {"decoder": "xml"}
STE = """<?xml version="1.0" encoding="utf-8"?>
<val:Root xmlns:val="http://example.com/ste.xsd">
<Agent><Model>33</Model><Place></Place></Agent>
<SenSet>
  <Entry><ID>215</ID><Units>C</Units><Value>31.3</Value></Entry>
  <Entry><ID>216</ID><Units>%RH</Units><Value>57.4</Value></Entry>
</SenSet>
</val:Root>"""
TME = """<?xml version="1.0" encoding="iso-8859-1"?>
<root xmlns="http://example.com/TME"><sns id="1" unit="0" val="285" location="M\u00f6bel"/><status mac="00"/></root>"""


def test_a_document_becomes_objects_by_local_names() -> None:
    entries = [{"ID": "215", "Units": "C", "Value": "31.3"}, {"ID": "216", "Units": "%RH", "Value": "57.4"}]
    agent = {"Model": "33", "Place": ""}
    assert decoded(STE, **RULES) == {"Root": {"Agent": agent, "SenSet": {"Entry": entries}}}


def test_elements_are_found_in_any_namespace() -> None:
    tree = decoded(STE, **RULES, elements={"entries": ".//{*}Entry", "place": "{*}Agent/{*}Place", "none": "Nothing"})
    assert [entry["ID"] for entry in tree["entries"]] == ["215", "216"]
    assert (tree["place"], tree["none"]) == ([""], [])
    sensors = decoded(TME.encode("iso-8859-1"), **RULES, elements={"sns": "{*}sns[@id='1']"})
    assert sensors == {"sns": [{"id": "1", "unit": "0", "val": "285", "location": "M\u00f6bel", "text": ""}]}


@pytest.mark.parametrize(
    ("body", "tree"),
    [
        ("<t>21.5</t>", {"t": "21.5"}),
        ("<t/>", {"t": ""}),
        ("<t>2<br/>3</t>", {"t": {"br": "", "text": "2 3"}}),
        ("<t> 21.5\n</t>\r\n\x00", {"t": "21.5"}),
        ('<t u="C">21.5</t>', {"t": {"u": "C", "text": "21.5"}}),
        ("<r>a<b>1</b>c</r>", {"r": {"b": "1", "text": "a c"}}),
        ('<r b="0"><b>1</b></r>', {"r": {"b": ["0", "1"]}}),
        ("<r><![CDATA[<&]]><!-- no --><?no no?></r>", {"r": "<&"}),
        ("<r>&#176;&lt;&amp;</r>", {"r": "\u00b0<&"}),
        ('<r x:t="1" xmlns:x="u"><x:v>2</x:v></r>', {"r": {"t": "1", "v": "2"}}),
        ("\ufeff<r>\u00b0C</r>", {"r": "\u00b0C"}),
    ],
)
def test_accepted(body: str, tree: object) -> None:
    assert decoded(body, **RULES) == tree


@pytest.mark.parametrize(
    ("declared", "body", "text"),
    [
        ("iso-8859-1", b"\xb0C", "\u00b0C"),
        ("ISO-8859-2", b"\xb5", "\u013e"),
        ("windows-1250", b"\x9e", "\u017e"),
        ("UTF-8", "\u00b0".encode(), "\u00b0"),
        ("utf-8", b"\xb0", "\u00b0"),
        ("x-unknown", b"\xb0", "\u00b0"),
        ("utf-16", b"\xb0", "\u00b0"),
    ],
)
def test_its_own_declaration_wins_when_it_can(declared: str, body: bytes, text: str) -> None:
    document = b'<?xml version="1.0" encoding="' + declared.encode() + b'"?><t>' + body + b"</t>"
    assert decoded(document, **RULES, charset=["utf-8", "iso-8859-1"]) == {"t": text}


BOMB = '<!DOCTYPE b [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;">]><t>&b;</t>'


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        ("", "decode: the answer is empty"),
        ("21.5", "decode: not XML: syntax error: line 1, column 0"),
        ("<t>21.5", "truncated: not XML: no element found: line 1, column 7"),
        ("<t>21.5</", "truncated: not XML: unclosed token: line 1, column 7"),
        ("<t>21.5</t><t/>", "decode: not XML: junk after document element"),
        ("<t>21.5</u>", "decode: not XML: mismatched tag"),
        ("<br><p></br>", "decode: not XML: mismatched tag"),
        ('<t a="1" a="2"/>', "decode: not XML: duplicate attribute"),
        ("<t>&deg;C</t>", "decode: not XML: undefined entity"),
        ("<t>\x00</t>", "decode: not XML: not well-formed"),
        (BOMB, "decode: XML with DTDForbidden: DTDs and entities are refused"),
        ('<!DOCTYPE t SYSTEM "file:///etc/passwd"><t/>', "decode: XML with DTDForbidden"),
        ("<a>" * 65, "decode: nested deeper than 64 levels"),
        ("<a>" + "<b/>" * 20_000 + "</a>", "decode: more than 20,000 values"),
        ("<a " + " ".join(f'b{n}="1"' for n in range(20_001)) + "/>", "decode: more than 20,000 values"),
    ],
)
def test_refused(body: str, problem: str) -> None:
    assert refused(body, **RULES).startswith(problem)


def test_nested_as_deep_as_may_be() -> None:
    assert decoded("<a>" * DEPTH_LIMIT + "</a>" * DEPTH_LIMIT, **RULES)


def test_elements_that_are_found_by_several_paths_are_counted_each_time() -> None:
    body = "<a>" + "<b/>" * 9_000 + "</a>"
    paths = dict.fromkeys("xyz", ".//b")
    assert refused(body, **RULES, elements=paths).startswith("decode: more than 20,000 values")


def test_no_beginning_of_a_document_is_whole() -> None:
    for cut in range(1, len(STE)):
        refused(STE[:cut], **RULES)
