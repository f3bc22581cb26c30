"""API keys, as the API takes and answers them. Instants are RFC 3339, UTC, milliseconds."""

from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from api.inputs import Body, Moment, Text, instant_of
from api.schemas import Instant, instant, shows
from collector.domain.access import Scope
from collector.domain.instants import iso
from collector.domain.roles import Role, parse_role
from collector.ports import KeyRecord, KeyTerms
from collector.usecases.keys import MadeKey, parse_scopes

ROLES = ", ".join(role.value for role in Role)
SCOPES = ", ".join(scope.value for scope in Scope)


class KeyBody(Body):
    """A key to make."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {"name": "dashboard", "role": "viewer", "scopes": ["chambers", "readings"], "section": "default"}
        }
    )

    name: Text = Field(description="for whom or what, 1 to 200 characters")
    role: Text = Field(description=f"at most the caller's own: one of {ROLES}")
    scopes: list[Text] = Field(
        default_factory=list, max_length=len(Scope), description=f"parts that it is limited to, none = all: {SCOPES}"
    )
    section: Text | None = Field(None, description="all that it sees of the organization; null = the whole of it")
    expires_at: Moment | None = Field(None, description="RFC 3339 with offset; null = never")

    def terms(self, created_by: str) -> KeyTerms:
        """How far it is to go.

        Raises:
            InvalidFieldError: field `role`, `scopes` or `expires_at`.
        """
        return KeyTerms(
            role=parse_role(self.role),
            scopes=parse_scopes(self.scopes),
            section=self.section,
            created_by=created_by,
            expires_ms=None if self.expires_at is None else instant_of("expires_at", self.expires_at),
        )


KEPT: dict[str, Any] = {
    "id": "0f3a9c5be21d",
    "organization": "default",
    "name": "dashboard",
    "role": "viewer",
    "scopes": ["chambers", "readings"],
    "section": "default",
    "created_by": "key/84fce612f5b8",
    "created_at": "2026-03-01T12:00:00.000Z",
    "expires_at": None,
    "last_used_at": None,
    "revoked_at": None,
}


class KeyOut(BaseModel):
    """A key without its secret; `last_used_at` is late by up to a minute."""

    model_config = shows(**KEPT)

    id: str
    organization: str
    name: str
    role: str
    scopes: list[str]
    section: str | None
    created_by: str
    created_at: Instant
    expires_at: Instant | None
    last_used_at: Instant | None
    revoked_at: Instant | None


class MadeKeyOut(KeyOut):
    """A key that was made just now: `key` is the whole of it, shown this once."""

    model_config = shows(**KEPT, key="chl_0f3a9c5be21d_" + "x" * 43)

    key: str


def key_document(record: KeyRecord) -> dict[str, Any]:
    """A key without its secret, as the API answers it and as the command line prints it out of the database."""
    terms = record.terms
    return {
        "id": record.id,
        "organization": record.organization,
        "name": record.name,
        "role": terms.role.value,
        "scopes": sorted(scope.value for scope in terms.scopes),
        "section": terms.section,
        "created_by": terms.created_by,
        "created_at": iso(record.created_ms),
        "expires_at": instant(terms.expires_ms),
        "last_used_at": instant(record.last_used_ms),
        "revoked_at": instant(record.revoked_ms),
    }


def key_out(record: KeyRecord) -> KeyOut:
    """What the API says of a key."""
    return KeyOut(**key_document(record))


def made_key_out(made: MadeKey) -> MadeKeyOut:
    """What the API says of a key when it is made."""
    return MadeKeyOut(**key_document(made.record), key=made.text)
