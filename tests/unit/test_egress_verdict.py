import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collector.domain.egress import NEVER_A_DEVICE, EgressPolicy, is_never_a_device, parse_rule
from collector.domain.egress_proxy import EgressProxy, parse_proxy
from collector.domain.egress_verdict import judge
from collector.domain.errors import InvalidFieldError


def policy(*rules: str) -> EgressPolicy:
    return EgressPolicy(tuple(parse_rule(rule) for rule in rules))


@pytest.mark.parametrize(
    ("rules", "address", "allowed", "rule", "why"),
    [
        ((), "10.0.0.7", True, None, "no rules"),
        ((), "127.0.0.1", False, None, "127.0.0.0/8"),
        ((), "::ffff:127.0.0.1", False, None, "127.0.0.0/8"),
        ((), "169.254.169.254", False, None, "169.254.0.0/16"),
        ((), "fe80::1%2", False, None, "fe80::/10"),
        ((), "2002:7f00:1::", False, None, "2002::/16"),
        (("10.0.0.0/8:80",), "10.0.0.7", True, "10.0.0.0/8:80", "lists it"),
        (("10.0.0.0/8:81",), "10.0.0.7", False, None, "no rule lists it"),
        (("0.0.0.0/0", "127.0.0.0/8:80"), "127.0.0.1", True, "127.0.0.0/8:80", "lists it"),
        (("0.0.0.0/0",), "127.0.0.1", False, None, "never a device"),
        (("[::1]:80-90",), "::1", True, "[::1/128]:80-90", "lists it"),
    ],
)
def test_a_verdict_says_which_rule_or_range_decides(
    rules: tuple[str, ...], address: str, allowed: bool, rule: str | None, why: str
) -> None:
    found = judge(policy(*rules), address, 80)
    assert (found.address, found.allowed, found.rule) == (address, allowed, rule)
    assert why in found.why


RULES = st.builds(
    lambda ip, length, ports: (
        f"[{ip}]/{length % (ip.max_prefixlen + 1)}:{min(ports)}-{max(ports)}"
        if ip.version == 6
        else f"{ip}/{length % (ip.max_prefixlen + 1)}:{min(ports)}-{max(ports)}"
    ),
    st.ip_addresses(),
    st.integers(0, 128),
    st.tuples(st.integers(1, 65_535), st.integers(1, 65_535)),
)


@given(st.lists(RULES, max_size=3), st.ip_addresses(), st.integers(1, 65_535))
def test_a_verdict_is_what_the_policy_does(rules: list[str], ip: object, port: int) -> None:
    given_rules = policy(*rules)
    assert judge(given_rules, str(ip), port).allowed == given_rules.allows(str(ip), port)
    assert [parse_rule(str(rule)) for rule in given_rules.rules] == list(given_rules.rules)


@given(st.ip_addresses())
def test_what_pythons_library_calls_no_unicast_address_is_never_a_device(
    ip: ipaddress.IPv4Address | ipaddress.IPv6Address,
) -> None:
    odd = ip.is_loopback or ip.is_link_local or ip.is_multicast or ip.is_unspecified or ip.is_reserved
    assert not odd or is_never_a_device(ip)


@pytest.mark.parametrize("network", NEVER_A_DEVICE)
def test_each_closed_range_is_closed_to_its_ends(network: ipaddress.IPv4Network | ipaddress.IPv6Network) -> None:
    everything = policy("0.0.0.0/0", "::/0")
    for address in (network.network_address, network.broadcast_address):
        assert not EgressPolicy().allows(str(address), 80)
        assert not everything.allows(str(address), 80)
        assert policy(str(address)).allows(str(address), 80) != ("::ffff:" in str(address))


@pytest.mark.parametrize(
    ("text", "host", "port"),
    [
        ("http://127.0.0.1:10001", "127.0.0.1", 10_001),
        ("http://egress_1.lab:10001/", "egress_1.lab", 10_001),
        (" http://[fd00::1]:1 ", "fd00::1", 1),
    ],
)
def test_a_proxy_is_read_and_shown(text: str, host: str, port: int) -> None:
    assert parse_proxy(text) == EgressProxy(host, port)
    assert parse_proxy(parse_proxy(text).url) == EgressProxy(host, port)


@pytest.mark.parametrize(
    "text", ["", "egress", "http://", "http://a:b@c:1", "http://a:1?x", "ftp://a:1", "http://a:99999"]
)
def test_what_is_no_proxy_is_refused(text: str) -> None:
    with pytest.raises(InvalidFieldError) as caught:
        parse_proxy(text)
    assert caught.value.field == "egress_proxy"
