"""Chambers, as the API answers them. Instants are RFC 3339, UTC, milliseconds."""

from typing import Annotated, Any, Generic, TypeVar

from pydantic import BaseModel, ConfigDict, Field

from collector.domain.instants import iso
from collector.usecases.fleet import ChamberView

T = TypeVar("T")
Instant = Annotated[str, Field(json_schema_extra={"format": "date-time"})]


def shows(**fields: Any) -> ConfigDict:
    """A model's configuration with an example for the OpenAPI document."""
    return ConfigDict(json_schema_extra={"example": fields})


def example_of(model: Any) -> Any:
    """The example that a model shows."""
    return model.model_config["json_schema_extra"]["example"]


def _with_items(schema: dict[str, Any], model: Any) -> None:
    [item] = model.__pydantic_generic_metadata__["args"]
    schema["example"] = {"items": [example_of(item)], "next_cursor": None}


class Listed(BaseModel, Generic[T]):
    """A part of a list; `next_cursor` continues it."""

    model_config = ConfigDict(json_schema_extra=_with_items)

    items: list[T]
    next_cursor: str | None = None


class PauseOut(BaseModel):
    """Since which slot a chamber is paused, why, by whom, and until when."""

    since: Instant
    reason: str
    by: str
    until: Instant | None


class ChamberOut(BaseModel):
    """A chamber; `version` is also its ETag, `profile_version` which version of its profile reads it."""

    model_config = shows(
        id="incubator-3",
        name="Incubator 3",
        organization="default",
        section="default",
        url="http://192.168.1.20",
        profile="airgradient",
        profile_version="0f3a9c5be21d",
        interval_s=60,
        timeout_s=10,
        round_span_s=None,
        aligned=False,
        labels={"room": "2.14"},
        secret_ref=None,
        verify_tls=True,
        timezone=None,
        serial_number=None,
        version=1,
        status="collecting",
        next_slot="2026-03-01T12:01:17.000Z",
        last_reading="2026-03-01T12:00:17.000Z",
        paused=None,
    )

    id: str
    name: str
    organization: str
    section: str
    url: str
    profile: str
    profile_version: str | None
    interval_s: int | float
    timeout_s: int | float
    round_span_s: int | float | None
    aligned: bool
    labels: dict[str, str]
    secret_ref: str | None
    verify_tls: bool
    timezone: str | None
    serial_number: str | None
    version: int
    status: str
    next_slot: Instant | None
    last_reading: Instant | None
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
        profile_version=spec.profile_version or None,
        interval_s=seconds(spec.interval_ms),
        timeout_s=seconds(spec.timeout_ms),
        round_span_s=None if spec.round_span_ms is None else seconds(spec.round_span_ms),
        aligned=spec.aligned,
        labels=spec.labels,
        secret_ref=spec.secret_ref,
        verify_tls=spec.verify_tls,
        timezone=spec.timezone or None,
        serial_number=spec.serial_number or None,
        version=spec.version,
        status=view.status,
        next_slot=instant(view.next_slot_ms),
        last_reading=instant(view.record.last_reading_ms),
        paused=paused,
    )


def instant(instant_ms: int | None) -> str | None:
    """RFC 3339, or null."""
    return None if instant_ms is None else iso(instant_ms)


def seconds(milliseconds: int) -> int | float:
    """Milliseconds as seconds, whole where they are."""
    return milliseconds // 1000 if milliseconds % 1000 == 0 else milliseconds / 1000
