"""What a person's address, name and password may be, before anything is kept."""

import re
import unicodedata

from collector.domain.chamber import NAME_LIMIT
from collector.domain.errors import ConflictError, InvalidFieldError

EMAIL_LIMIT = 254
"""The longest address that a mail server takes (RFC 5321, a path of 256 with its brackets)."""
LOCAL_LIMIT = 64
_ATOM = r"[a-z0-9!#$%&'*+/=?^_`{|}~-]+"
_LABEL = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
EMAIL_PATTERN = re.compile(rf"{_ATOM}(?:\.{_ATOM})*@{_LABEL}(?:\.{_LABEL})*", re.ASCII)
EMAIL_REMEDY = "write it like ada@example.org; a domain outside ASCII in its xn-- form"
PASSWORD_LENGTHS = (12, 1_024)
"""Characters. The longest passphrase fits; hashing takes the same time for all of them."""


def normal_email(text: str, field: str = "email") -> str:
    """The address as it is kept and looked up: without blanks around it, in lower case.

    Only ASCII: letters that look alike, or that fold to each other in one language only, would be two people or one.

    Raises:
        InvalidFieldError: it is no address, or too long.
    """
    email = text.strip(" ").lower() if text.isascii() else ""
    local = email.rpartition("@")[0]
    if len(email) > EMAIL_LIMIT or len(local) > LOCAL_LIMIT or not EMAIL_PATTERN.fullmatch(email):
        raise InvalidFieldError(field, "it is not an e-mail address", EMAIL_REMEDY)
    return email


def normal_password(text: str) -> str:
    """The password as it is hashed: composed (NFC, as RFC 8265 has it), because keyboards send an `é` in two ways."""
    return unicodedata.normalize("NFC", text)


def check_password(password: str, email: str, field: str = "password") -> None:
    """Refuse a password that is guessed first.

    Args:
        password: as `normal_password` answers it.
        email: of whose it will be.
        field: for the error.

    Raises:
        InvalidFieldError: too short, too long, or the address itself. It never quotes the password.
    """
    if "\x00" in password or any("\ud800" <= character <= "\udfff" for character in password):
        raise InvalidFieldError(field, "it has what is no character", "choose one of characters")
    least, most = PASSWORD_LENGTHS
    if not least <= len(password) <= most:
        problem = f"it is {'shorter' if len(password) < least else 'longer'} than it may be"
        raise InvalidFieldError(field, problem, f"choose one of {least} to {most} characters")
    if password.casefold().strip() == email:
        raise InvalidFieldError(field, "it is the address itself", "choose one that nobody guesses")
    if len(set(password)) == 1:
        raise InvalidFieldError(field, "it is one character over and over", "choose one that nobody guesses")


def check_name(text: str, field: str) -> None:
    """Refuse a name that cannot be kept.

    Raises:
        InvalidFieldError: too long, or with control characters.
    """
    if len(text) > NAME_LIMIT:
        raise InvalidFieldError(field, f"it is longer than {NAME_LIMIT} characters", "shorten it")
    if any(unicodedata.category(character) == "Cc" for character in text):
        raise InvalidFieldError(field, "it has control characters", "remove them")


def address_taken() -> ConflictError:
    """Somebody signs in with that address; it does not say in which organization."""
    return ConflictError("somebody signs in with this address already", "choose another address", "email")


def last_administrator(field: str) -> ConflictError:
    """Nobody could run the organization afterwards."""
    problem = "this is the last active administrator of the organization"
    return ConflictError(problem, "make another administrator first", field)


def invitation_gone() -> ConflictError:
    """Somebody else was quicker."""
    problem = "this invitation was used, revoked or replaced meanwhile"
    return ConflictError(problem, "ask an administrator of the organization for another one", "token")
