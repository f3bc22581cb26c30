import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.egress_files import load_policies
from collector.domain.egress import EgressPolicies, EgressPolicy, parse_policies, parse_rule
from collector.domain.errors import InvalidFieldError


def policy(*rules: str) -> EgressPolicy:
    return EgressPolicy(tuple(parse_rule(rule) for rule in rules))


@pytest.mark.parametrize("address", ["192.168.7.20", "10.1.2.3", "8.8.8.8", "172.16.0.1", "fd12::5", "2001:db8:1::1"])
def test_without_rules_private_and_public_networks_are_open(address: str) -> None:
    assert EgressPolicy().allows(address, 80)


NEVER_DEVICES = [
    "127.0.0.1",
    "127.1.2.3",
    "169.254.169.254",
    "0.0.0.0",
    "224.0.0.251",
    "240.0.0.1",
    "255.255.255.255",
    "100.100.100.200",
    "168.63.129.16",
    "::1",
    "::",
    "fe80::1",
    "fe80::1%2",
    "ff02::fb",
    "fd00:ec2::254",
    "::ffff:127.0.0.1",
    "::ffff:169.254.169.254",
    "64:ff9b::7f00:1",
]


@pytest.mark.parametrize("address", NEVER_DEVICES)
def test_without_rules_what_is_never_a_device_is_closed(address: str) -> None:
    assert not EgressPolicy().allows(address, 80)


@pytest.mark.parametrize("address", NEVER_DEVICES)
def test_a_rule_for_everything_does_not_mean_what_is_never_a_device(address: str) -> None:
    everything = policy("0.0.0.0/0", "::/0")
    assert everything.allows("192.168.7.20", 80)
    assert everything.allows("fd12::5", 80)
    assert not everything.allows(address, 80)


@pytest.mark.parametrize(
    ("rule", "address"),
    [
        ("127.0.0.1", "127.0.0.1"),
        ("127.0.0.0/8", "127.9.9.9"),
        ("127.0.0.1", "::ffff:127.0.0.1"),
        ("[::1]:8080", "::1"),
        ("fe80::/10", "fe80::1%eth0"),
        ("169.254.0.0/16", "169.254.3.3"),
        ("168.63.129.16", "168.63.129.16"),
    ],
)
def test_what_is_never_a_device_opens_when_a_rule_lists_it(rule: str, address: str) -> None:
    assert policy(rule).allows(address, 8080)


def test_with_rules_exactly_what_they_list_is_open() -> None:
    lab = policy("192.168.7.0/24:80", "10.0.0.0/8:8000-8100", "[fd12::]/16:443")
    assert lab.allows("192.168.7.9", 80)
    assert not lab.allows("192.168.7.9", 81)
    assert not lab.allows("192.168.8.9", 80)
    assert [port for port in (7999, 8000, 8050, 8100, 8101) if lab.allows("10.3.2.1", port)] == [8000, 8050, 8100]
    assert lab.allows("fd12::1", 443)
    assert not lab.allows("fd12::1", 80)
    assert not lab.allows("8.8.8.8", 80)
    assert lab.allows("::ffff:192.168.7.9", 80)


def test_an_address_that_is_none_is_an_error_not_a_yes() -> None:
    with pytest.raises(ValueError, match="lab-3"):
        EgressPolicy().allows("lab-3", 80)


@pytest.mark.parametrize(
    ("text", "network", "first", "last"),
    [
        ("192.168.7.0/24", "192.168.7.0/24", 1, 65_535),
        ("192.168.7.5/24", "192.168.7.0/24", 1, 65_535),
        ("10.0.0.0/8:80", "10.0.0.0/8", 80, 80),
        ("10.0.0.7:80", "10.0.0.7/32", 80, 80),
        ("10.0.0.7:8000-8100", "10.0.0.7/32", 8000, 8100),
        ("10.0.0.0/255.0.0.0", "10.0.0.0/8", 1, 65_535),
        ("fd00::/8", "fd00::/8", 1, 65_535),
        ("::1", "::1/128", 1, 65_535),
        ("[::1]", "::1/128", 1, 65_535),
        ("[::1]:80", "::1/128", 80, 80),
        ("[fd00::]/8", "fd00::/8", 1, 65_535),
        ("[fd00::]/8:8000-8100", "fd00::/8", 8000, 8100),
        ("[fd00::/8]:80", "fd00::/8", 80, 80),
    ],
)
def test_rules_are_read(text: str, network: str, first: int, last: int) -> None:
    rule = parse_rule(text)
    assert (str(rule.network), rule.first_port, rule.last_port) == (network, first, last)


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "lab",
        "10.0.0.0/8:",
        "10.0.0.0/8:80-",
        "10.0.0.0/8:-80",
        ":80",
        "10.0.0.0/33",
        "10.0.0.0/8:0",
        "10.0.0.0/8:65536",
        "10.0.0.0/8:90-80",
        "10.0.0.0/8:http",
        "[::1",
        "::1]:80",
        "[fd00::]/129",
        "fd00::/8:x",
        "10.0.0.0/8:80:81",
        "10.0.0.0/8: 80",
        "42",
        "10.0.0.0/8:٨٠",
    ],
)
def test_what_is_no_rule_is_refused_with_the_text_and_the_right_form(text: str) -> None:
    with pytest.raises(InvalidFieldError) as caught:
        parse_rule(text)
    assert caught.value.field == "egress"
    assert repr(text) in caught.value.problem
    assert "[fd00::]/8:8000-8100" in caught.value.remedy


@given(st.text(max_size=40))
def test_any_text_is_a_rule_or_an_invalid_field(text: str) -> None:
    try:
        rule = parse_rule(text)
    except InvalidFieldError:
        return
    assert 1 <= rule.first_port <= rule.last_port <= 65_535


@given(st.ip_addresses(), st.integers(1, 65_535))
def test_a_rule_of_one_address_and_port_opens_exactly_that(ip: object, port: int) -> None:
    text = f"[{ip}]:{port}" if ":" in str(ip) else f"{ip}:{port}"
    one = policy(text)
    if ":" in str(ip) and str(ip).startswith("::ffff:"):
        return  # a mapped address counts as IPv4 and is listed as such
    assert one.allows(str(ip), port)
    assert not one.allows(str(ip), port % 65_535 + 1)


def test_policies_are_found_by_section_and_else_the_default() -> None:
    policies = parse_policies({"default": ["10.0.0.0/8"], "sections": {"default/lab3": ["192.168.7.0/24:80"]}})
    assert policies.of("default", "lab3").allows("192.168.7.1", 80)
    assert not policies.of("default", "lab3").allows("10.0.0.1", 80)
    assert policies.of("default", "other").allows("10.0.0.1", 80)
    assert not policies.of("other", "lab3").allows("192.168.7.1", 80)


@pytest.mark.parametrize(
    ("document", "named"),
    [
        ({"defaults": []}, "'defaults'"),
        ({"default": []}, "default"),
        ({"default": "10.0.0.0/8"}, "default"),
        ({"default": [42]}, "default"),
        ({"default": None}, "default"),
        ({"sections": ["10.0.0.0/8"]}, "sections"),
        ({"sections": {"lab3": ["10.0.0.0/8"]}}, "'lab3'"),
        ({"sections": {"a/b/c": ["10.0.0.0/8"]}}, "'a/b/c'"),
        ({"sections": {"default/lab3": []}}, "default/lab3"),
        ({"sections": {"default/lab3": ["nonsense"]}}, "'nonsense'"),
    ],
)
def test_what_are_no_policies_is_refused_by_name(document: dict[str, object], named: str) -> None:
    with pytest.raises(InvalidFieldError) as caught:
        parse_policies(document)
    assert caught.value.field == "egress"
    assert named in caught.value.problem


@pytest.mark.parametrize("nothing", [None, "", "  \n"])
def test_no_setting_means_the_default_policies(nothing: str | None) -> None:
    assert load_policies(nothing) == EgressPolicies()


def test_policies_come_from_text_and_from_a_file(tmp_path: Path) -> None:
    text = json.dumps({"default": ["127.0.0.1/32:9000-9010"], "sections": {"default/lab3": ["10.0.0.0/8"]}})
    path = tmp_path / "egress.json"
    path.write_text(text)
    assert load_policies(text) == load_policies(str(path)) == parse_policies(json.loads(text))
    assert load_policies(text).of("default", "default").allows("127.0.0.1", 9005)


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("{", "line 1 column 2"),
        ('{"default": ["10.0.0.0/8"],}', "line 1"),
        ('{"default": ["10.0.0.0/8"], "default": ["0.0.0.0/0"]}', "twice"),
        ("/nowhere/egress.json", "/nowhere/egress.json cannot be read: No such file or directory"),
        ("bad\x00path", "is not a file"),
    ],
)
def test_settings_that_cannot_be_read_name_the_place(text: str, named: str) -> None:
    with pytest.raises(InvalidFieldError) as caught:
        load_policies(text)
    assert caught.value.field == "egress"
    assert named in caught.value.problem


@pytest.mark.parametrize("content", [b"[]", b"42", b"null", b"\xff\xfe", b""])
def test_a_file_that_holds_no_object_is_refused_with_its_path(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "egress.json"
    path.write_bytes(content)
    with pytest.raises(InvalidFieldError, match=r"egress\.json"):
        load_policies(str(path))
