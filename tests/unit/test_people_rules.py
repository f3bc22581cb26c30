"""What addresses, passwords and secrets may be."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.credential_maker import SystemCredentials
from collector.domain.credentials import Kind, given_credential, read_credential
from collector.domain.errors import InvalidFieldError
from collector.domain.people import check_name, check_password, normal_email, normal_password

GOOD = [
    "ada@example.org",
    "a.b+lab@x-y.example",
    "o'neil@x.org",
    "root@localhost",
    "a@1.2.3.4",
    "x@xn--bcher-kva.example",
]
BAD = [
    "",
    "@",
    "ada",
    "@x.org",
    "ada@",
    "ada@x..org",
    "ada@-x.org",
    "ada@x-.org",
    ".ada@x.org",
    "ada.@x.org",
    "a..b@x.org",
    "a@b@c.org",
    "a b@x.org",
    "a@x.org\nBcc: b@x.org",
    "a@x.org\t",
    "a\x00@x.org",
    "\u0430da@x.org",
    "ada@b\u00fccher.example",
    "\u212aada@x.org",
    "\u0130@x.org",
    '"a"@x.org',
    "a,b@x.org",
    "<a@x.org>",
    "a@[127.0.0.1]",
    "a" * 65 + "@x.org",
    "a@" + "x." * 126 + "org",
    "a@" + "x" * 64 + ".org",
]


@pytest.mark.parametrize("email", GOOD)
def test_an_address_is_kept_in_lower_case(email: str) -> None:
    assert normal_email(f" {email.upper()}  ") == email


@pytest.mark.parametrize("email", BAD)
def test_what_is_no_address_is_refused(email: str) -> None:
    with pytest.raises(InvalidFieldError) as caught:
        normal_email(email, "sender")
    assert caught.value.field == "sender"


@given(st.text(max_size=300))
def test_whatever_is_taken_is_one_line_of_ascii_and_stays_as_it_is(text: str) -> None:
    try:
        email = normal_email(text)
    except InvalidFieldError:
        return
    assert email.isascii()
    assert email.isprintable()
    assert normal_email(email) == email == email.lower()


@given(st.text(st.characters(), max_size=1100))
def test_a_password_is_taken_or_refused_and_never_quoted(text: str) -> None:
    password = normal_password(text)
    assert normal_password(password) == password
    said = ""
    try:
        check_password(password, "ada@example.org")
    except InvalidFieldError as error:
        said = str(error)
    if said:
        assert len(password) < 12 or password not in said
        return
    assert 12 <= len(password) <= 1024
    assert password.encode()


@pytest.mark.parametrize(
    "password", ["x" * 11, "x" * 12, "\u00e9" * 30, "Ada@Example.org", "nul\x00" * 5, "\ud800abc" * 5]
)
def test_what_is_guessed_first_is_refused(password: str) -> None:
    with pytest.raises(InvalidFieldError):
        check_password(normal_password(password), "ada@example.org")


@pytest.mark.parametrize(
    "password", ["correct horse", "\U0001f600\U0001f601" * 6, " leading and trailing ", "ada@example.org!"]
)
def test_what_people_choose_is_taken(password: str) -> None:
    check_password(normal_password(password), "ada@example.org")


@pytest.mark.parametrize("name", ["x" * 201, "a\nb", "\x7f", "a\u0085b"])
def test_a_name_is_one_line(name: str) -> None:
    with pytest.raises(InvalidFieldError):
        check_name(name, "first_name")


@pytest.mark.parametrize("kind", Kind)
def test_a_secret_is_read_as_it_was_made_and_is_of_one_kind(kind: Kind) -> None:
    made = SystemCredentials().make(kind)
    assert read_credential(kind, made.text) == made
    assert made.text not in repr(made)
    assert given_credential(kind, f" {made.text}\n", "token") == made
    others = [other for other in Kind if other is not kind]
    assert [read_credential(other, made.text) for other in others] == [None] * len(others)


@given(st.text(max_size=80))
def test_what_is_no_secret_is_refused_and_not_quoted(text: str) -> None:
    with pytest.raises(InvalidFieldError) as caught:
        given_credential(Kind.RESET, text, "token")
    assert len(text) < 5 or text not in str(caught.value)


def test_no_two_are_the_same() -> None:
    maker = SystemCredentials()
    assert len({maker.make(Kind.ACCESS).text for _ in range(200)}) == 200
    assert len({maker.new_id() for _ in range(200)}) == 200
