import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.http_device.literals import disguised_address, literal_of
from adapters.http_device.redirects import forbidden_target
from collector.domain.egress import EgressPolicy, parse_rule


@pytest.mark.parametrize(
    ("host", "address"),
    [
        ("192.168.7.20", "192.168.7.20"),
        ("127.1", "127.0.0.1"),
        ("127.65535", "127.0.255.255"),
        ("2130706433", "127.0.0.1"),
        ("017700000001", "127.0.0.1"),
        ("0x7f.0.0.1", "127.0.0.1"),
        ("010.0.0.1", "8.0.0.1"),
        ("127.0.0.1.", "127.0.0.1"),
        ("%31%32%37.0.0.1", "127.0.0.1"),
        ("::1", "::1"),
        ("::ffff:127.0.0.1", "::ffff:7f00:1"),
        ("fe80::1%25lo", "fe80::1%lo"),
        ("chamber.lab", None),
        ("127.0.0.1.nip.lab", None),
        ("256.256.256.256", None),
        ("4294967296", None),
        ("1.2.3.4.5", None),
        ("0x7f.0.0.g", None),
        ("127.0.0.1 x", None),
        ("", None),
        (".", None),
        ("\u0661", None),
    ],
)
def test_hosts_that_are_addresses_are_told_from_names(host: str, address: str | None) -> None:
    assert literal_of(host) == address


@given(st.ip_addresses(v=4))
def test_every_way_of_the_c_library_to_write_an_address_is_read(ip: object) -> None:
    a, b, c, d = (int(part) for part in str(ip).split("."))
    number = int.from_bytes((a, b, c, d))
    forms = [f"{number}", f"{number:#x}", f"0{number:o}", f"{a}.{number & 0xFFFFFF}", f"{a}.{b}.{number & 0xFFFF}"]
    forms += [f"{a:#x}.0{b:o}.{c}.{d:#x}", f"{a}.{b}.{c}.{d}."]
    assert {literal_of(form) for form in forms} == {str(ip)}


@given(st.text(max_size=20))
def test_any_text_is_an_address_or_none(text: str) -> None:
    assert literal_of(text) is None or literal_of(text) == literal_of(str(literal_of(text)))
    assert disguised_address(f"http://{text}/") is None or text


@pytest.mark.parametrize(
    ("location", "port"),
    [
        ("http://127.0.0.1/", 80),
        ("https://127.1/x", 443),
        ("//2130706433:8080/", 8_080),
        ("http://[::ffff:7f00:1]:81/", 81),
    ],
)
def test_a_redirect_to_a_forbidden_address_says_where_it_led(location: str, port: int) -> None:
    found = forbidden_target(location, EgressPolicy())
    assert found is not None
    assert f"port {port}, which is not allowed" in found.detail
    listed = EgressPolicy((parse_rule(f"127.0.0.1:{port}"),))
    assert forbidden_target(location, listed) is None


@pytest.mark.parametrize("location", ["", "/x", "http://chamber.lab/", "http://10.0.0.7/", "http://[", "mailto:x@y"])
def test_other_redirects_are_none_of_its_business(location: str) -> None:
    assert forbidden_target(location, EgressPolicy()) is None
