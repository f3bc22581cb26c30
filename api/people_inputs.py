"""What the API takes of people: who signs in, who is made, invited or changed. Every text has a limit."""

from dataclasses import replace
from typing import Annotated, Any

from pydantic import ConfigDict, Field

from api.inputs import Body, ShortText, Text
from collector.domain.people import EMAIL_LIMIT, PASSWORD_LENGTHS
from collector.domain.roles import Role, parse_role
from collector.ports.users import User
from collector.usecases.users.invitations import Acceptance

Email = Annotated[Text, Field(max_length=EMAIL_LIMIT, description="an e-mail address; blanks and case do not matter")]
Given = Annotated[Text, Field(max_length=PASSWORD_LENGTHS[1], repr=False, description="the password")]
Chosen = Annotated[
    Text,
    Field(
        min_length=PASSWORD_LENGTHS[0],
        max_length=PASSWORD_LENGTHS[1],
        repr=False,
        description="12 to 1024 characters, not the address itself",
    ),
]
Secret = Annotated[Text, Field(max_length=100, repr=False, description="as it was handed out, whole")]
RoleName = Annotated[
    ShortText,
    Field(json_schema_extra={"enum": [role.value for role in Role]}, description="at most the caller's own"),
]


PHRASE = "correct horse battery staple"


def _example(**fields: Any) -> ConfigDict:
    return ConfigDict(json_schema_extra={"example": fields})


class SignInBody(Body):
    """Who signs in."""

    model_config = _example(email="ada@example.org", password=PHRASE)

    email: Email
    password: Given


class RefreshBody(Body):
    """What gets the next pair of tokens."""

    model_config = _example(refresh_token="chr_0123456789ab_" + "x" * 43)

    refresh_token: Secret


class ForgottenBody(Body):
    """Who has forgotten a password."""

    model_config = _example(email="ada@example.org")

    email: Email


class ResetBody(Body):
    """A one-time token, and the password that it sets."""

    model_config = _example(token="chp_0123456789ab_" + "x" * 43, password=PHRASE)

    token: Secret
    password: Chosen


class ChangePasswordBody(Body):
    """The present password, and the next one."""

    model_config = _example(password=PHRASE, new_password=f"another {PHRASE}")

    password: Given
    new_password: Chosen


class AcceptBody(Body):
    """Whoever takes the place that an invitation offers."""

    model_config = _example(
        token="chi_0123456789ab_" + "x" * 43,
        password=PHRASE,
        first_name="Ada",
        last_name="Lovelace",
    )

    token: Secret
    password: Chosen
    first_name: ShortText = ""
    last_name: ShortText = ""

    def acceptance(self) -> Acceptance:
        """The use case's words for it."""
        return Acceptance(**self.model_dump())


class UserBody(Body):
    """A user to make; they set their password by a one-time token."""

    model_config = _example(email="ada@example.org", role="operator", first_name="Ada", last_name="Lovelace")

    email: Email
    role: RoleName = Role.VIEWER.value
    first_name: ShortText = ""
    last_name: ShortText = ""

    def user(self) -> User:
        """The user that is asked for, of no organization yet.

        Raises:
            InvalidFieldError: field `role`.
        """
        return User(id="", organization="", **{**self.model_dump(), "role": parse_role(self.role)})


class UserPatch(Body):
    """Fields of a user to change; those that are not given stay."""

    model_config = _example(role="administrator")

    email: Email = ""
    role: RoleName = Role.VIEWER.value
    first_name: ShortText = ""
    last_name: ShortText = ""
    active: bool = Field(default=True, description="false: cannot sign in, and every session ends")

    def altered(self, before: User) -> User:
        """The user with the given fields.

        Raises:
            InvalidFieldError: field `role`.
        """
        given: dict[str, Any] = self.model_dump(exclude_unset=True)
        if "role" in given:
            given["role"] = parse_role(given["role"])
        return replace(before, **given)


class InvitationBody(Body):
    """Whom to invite, and as what."""

    model_config = _example(email="ada@example.org", role="operator")

    email: Email
    role: RoleName = Role.VIEWER.value
