"""Chambers and what they can be enrolled with, as the API answers them. Instants are RFC 3339, UTC, milliseconds."""

from typing import Generic, TypeVar

from pydantic import BaseModel, ConfigDict

from collector.domain.instants import iso
from collector.usecases.catalog import ProfileSummary
from collector.usecases.fleet import ChamberView

T = TypeVar("T")


class Listed(BaseModel, Generic[T]):
    """A part of a list; `next_cursor` continues it."""

    items: list[T]
    next_cursor: str | None = None


class PauseOut(BaseModel):
    """Since which slot a chamber is paused, why, by whom, and until when."""

    since: str
    reason: str
    by: str
    until: str | None


class ChamberOut(BaseModel):
    """A chamber; `version` is also its ETag."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "id": "incubator-3",
                "name": "Incubator 3",
                "organization": "default",
                "section": "default",
                "url": "http://192.168.1.20",
                "profile": "airgradient",
                "interval_s": 60,
                "timeout_s": 10,
                "round_span_s": None,
                "aligned": False,
                "labels": {"room": "2.14"},
                "secret_ref": None,
                "verify_tls": True,
                "version": 1,
                "status": "collecting",
                "next_slot": "2026-03-01T12:01:17.000Z",
                "last_reading": "2026-03-01T12:00:17.000Z",
                "paused": None,
            }
        }
    )

    id: str
    name: str
    organization: str
    section: str
    url: str
    profile: str
    interval_s: int | float
    timeout_s: int | float
    round_span_s: int | float | None
    aligned: bool
    labels: dict[str, str]
    secret_ref: str | None
    verify_tls: bool
    version: int
    status: str
    next_slot: str | None
    last_reading: str | None
    paused: PauseOut | None


def chamber_out(view: ChamberView) -> ChamberOut:
    """A chamber as JSON."""
    spec, pause = view.record.spec, view.pause
    paused = pause and PauseOut(
        since=iso(pause.since_ms), reason=pause.reason, by=pause.by, until=instant(pause.until_ms)
    )
    return ChamberOut(
        id=spec.id,
        name=spec.name,
        organization=spec.organization,
        section=spec.section,
        url=spec.url,
        profile=spec.profile,
        interval_s=seconds(spec.interval_ms),
        timeout_s=seconds(spec.timeout_ms),
        round_span_s=None if spec.round_span_ms is None else seconds(spec.round_span_ms),
        aligned=spec.aligned,
        labels=spec.labels,
        secret_ref=spec.secret_ref,
        verify_tls=spec.verify_tls,
        version=spec.version,
        status=view.status,
        next_slot=instant(view.next_slot_ms),
        last_reading=instant(view.record.last_reading_ms),
        paused=paused,
    )


class ProfileOut(BaseModel):
    """A device profile: `measurements` is name -> UCUM code."""

    name: str
    description: str
    checked: str
    measurements: dict[str, str]


class SectionOut(BaseModel):
    """A part of the organization where chambers stand."""

    name: str


def profile_out(profile: ProfileSummary) -> ProfileOut:
    """A profile as JSON."""
    return ProfileOut(
        name=profile.name, description=profile.description, checked=profile.checked, measurements=dict(profile.units)
    )


def instant(instant_ms: int | None) -> str | None:
    """RFC 3339, or null."""
    return None if instant_ms is None else iso(instant_ms)


def seconds(milliseconds: int) -> int | float:
    """Milliseconds as seconds, whole where they are."""
    return milliseconds // 1000 if milliseconds % 1000 == 0 else milliseconds / 1000
