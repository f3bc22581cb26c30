"""Profiles and last answers, as the API takes and answers them."""

import base64
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, model_validator
from pydantic_core import PydanticCustomError

from api.inputs import Body, Query, ShortText, Text
from api.schemas import Instant, instant, shows
from collector.domain.instants import iso
from collector.domain.profile_document import ProfileDocument
from collector.ports import ChamberAnswer
from collector.usecases.catalog import ProfileSummary, ProfileView

EXAMPLE = "name: attic\nmeasurements:\n  - {name: temperature, select: t, unit: Cel}\n"
NAMED = {
    "name": "attic",
    "version": "0f3a9c5be21d",
    "origin": "organization",
    "description": "The sensor in the attic",
    "checked": "An answer of 2026-01-15",
    "measurements": {"temperature": "Cel"},
    "problem": None,
}


class ProfileBody(Body):
    """A profile to offer: a JSON object, or the YAML itself as `text/yaml`."""

    model_config = ConfigDict(json_schema_extra={"example": {"document": EXAMPLE}})

    document: Text = Field(description="YAML; docs/profiles.md explains every key")

    @model_validator(mode="before")
    @classmethod
    def _as_yaml(cls, body: Any) -> Any:
        """A body that is not declared as JSON arrives as it came."""
        if not isinstance(body, bytes):
            return body
        try:
            return {"document": body.decode("utf-8-sig")}
        except UnicodeDecodeError:
            raise PydanticCustomError("string_unicode", "it is not UTF-8") from None


class ProfileQuery(Query):
    """Which version."""

    version: ShortText | None = Field(None, description="12 hexadecimal digits; the newest by default")


class ProfileOut(BaseModel):
    """A device profile: `measurements` is name -> UCUM code, `problem` why this release cannot read it."""

    model_config = shows(**NAMED)

    name: str
    version: str
    origin: str
    description: str
    checked: str
    measurements: dict[str, str]
    problem: str | None


class ProfileVersionOut(BaseModel):
    """A version of a profile; without `created_at` it is in a file only so far."""

    version: str
    origin: str
    created_at: Instant | None
    created_by: str | None


class ProfileTextOut(ProfileOut):
    """One version with its text; `newest` is the version that chambers get now, null when none is offered."""

    model_config = shows(
        **NAMED,
        source="Its own web page",
        document=EXAMPLE,
        newest="0f3a9c5be21d",
        versions=[
            {
                "version": "0f3a9c5be21d",
                "origin": "organization",
                "created_at": "2026-03-01T12:00:00.000Z",
                "created_by": "key/0123456789ab",
            }
        ],
    )

    source: str
    document: str
    newest: str | None
    versions: list[ProfileVersionOut]


class AnswerOut(BaseModel):
    """The last answer of a kind, `success` or `failure`; size and SHA-256 are of the whole answer as it came."""

    model_config = shows(
        kind="success",
        slot="2026-03-01T12:00:17.000Z",
        received_at="2026-03-01T12:00:17.204Z",
        body="eyJhdG1wIjogMjEuNX0=",
        size=14,
        sha256="5f0d0e6b8b4bff4bd3b1e4fbf9d1c8fe9a3eaef8c77bb4a2dd5a9a3be1bb0d41",
        truncated=False,
        problem=None,
        remarks=[],
        spec_version=1,
        profile_version="0f3a9c5be21d",
    )

    kind: str
    slot: Instant
    received_at: Instant
    body: str = Field(description="base64 of its first 64 KiB, what looks like a secret masked")
    size: int
    sha256: str
    truncated: bool
    problem: str | None
    remarks: list[str]
    spec_version: int
    profile_version: str | None


def profile_out(profile: ProfileSummary) -> ProfileOut:
    """A profile as JSON."""
    return ProfileOut(**_named(profile))


def profile_text_out(view: ProfileView) -> ProfileTextOut:
    """A profile with its text as JSON."""
    return ProfileTextOut(
        **_named(view.summary),
        source=view.summary.source,
        document=view.summary.document.text,
        newest=view.newest,
        versions=[_version_out(document) for document in view.versions],
    )


def answer_out(answer: ChamberAnswer) -> AnswerOut:
    """A last answer as JSON."""
    return AnswerOut(
        kind=answer.kind.value,
        slot=iso(answer.slot_ms),
        received_at=iso(answer.received_ms),
        body=base64.b64encode(answer.body).decode(),
        size=answer.size,
        sha256=answer.sha256.hex(),
        truncated=answer.truncated,
        problem=answer.problem or None,
        remarks=list(answer.remarks),
        spec_version=answer.spec_version,
        profile_version=answer.profile_version or None,
    )


def _named(profile: ProfileSummary) -> dict[str, Any]:
    return {
        "name": profile.document.name,
        "version": profile.document.version,
        "origin": profile.document.origin.value,
        "description": profile.description,
        "checked": profile.checked,
        "measurements": dict(profile.units),
        "problem": profile.problem or None,
    }


def _version_out(document: ProfileDocument) -> ProfileVersionOut:
    return ProfileVersionOut(
        version=document.version,
        origin=document.origin.value,
        created_at=instant(document.created_ms),
        created_by=document.created_by or None,
    )
