"""Documents as the API answers them."""

from typing import Any

CHAMBER: dict[str, Any] = {
    "id": "incubator-3",
    "name": "Incubator 3",
    "organization": "default",
    "section": "cold",
    "url": "http://192.168.1.20",
    "profile": "airgradient",
    "interval_s": 60,
    "timeout_s": 10,
    "round_span_s": None,
    "aligned": False,
    "labels": {"room": "2.14"},
    "secret_ref": None,
    "verify_tls": True,
    "timezone": None,
    "serial_number": None,
    "profile_version": "0f3a9c5be21d",
    "version": 7,
    "status": "collecting",
    "next_slot": "2026-03-01T12:01:17.000Z",
    "last_reading": "2026-03-01T12:00:17.000Z",
    "paused": None,
}
READING: dict[str, Any] = {
    "slot": "2026-03-01T12:00:17.000Z",
    "requested_at": "2026-03-01T12:00:17.002Z",
    "received_at": "2026-03-01T12:00:17.093Z",
    "observed_at": None,
    "stored_at": "2026-03-01T12:00:17.101Z",
    "measurements": {
        "temperature": {"value": 37.02, "unit": "Cel", "quality": "good"},
        "co2": {"value": None, "unit": "[ppm]", "quality": "missing"},
    },
}
GAP: dict[str, Any] = {
    "first_slot": "2026-03-01T11:00:17.000Z",
    "last_slot": "2026-03-01T11:09:17.000Z",
    "slots": 10,
    "reason": "paused",
    "detail": "door service",
    "by": "key/0123456789ab",
    "until": None,
    "recorded_at": "2026-03-01T11:00:18.000Z",
}
PROOF: dict[str, Any] = {
    "from": "2026-03-01T00:00:00.000Z",
    "to": "2026-03-02T00:00:00.000Z",
    "chambers": 1,
    "expected": 1440,
    "stored": 1430,
    "gaps": {"paused": 10},
    "unaccounted": 0,
    "overdue": 0,
    "pending": 0,
    "retained_from": "2026-02-01T00:00:00.000Z",
    "offenders": [],
}
MADE: dict[str, Any] = {
    "version": 3,
    "created_at": "2026-03-01T08:00:00.000Z",
    "updated_at": "2026-03-01T09:00:00.000Z",
}
ORGANIZATION: dict[str, Any] = {
    "id": "biologics",
    "name": "Biologics",
    "address": "Rheinweg 7, Basel",
    "region": "eu-central",
    **MADE,
}
SECTION: dict[str, Any] = {
    "id": "cold",
    "name": "Cold store",
    "description": "Basement",
    "active": True,
    "chambers": 4,
    **MADE,
}
BATCH: dict[str, Any] = {
    "id": "CHO-17.2",
    "section": "cold",
    "name": "CHO 17",
    "description": "",
    "started_at": "2026-03-01T08:00:00.000Z",
    "ended_at": None,
    **MADE,
}
DETECTOR: dict[str, Any] = {"name": "temperature", "unit": "Cel", "alias": "T1", "active": True}
PROFILE: dict[str, Any] = {
    "name": "airgradient",
    "description": "air",
    "checked": "recorded",
    "measurements": {"co2": "[ppm]"},
}
OPERATION: dict[str, Any] = {
    "id": "4fd1c8",
    "section": "cold",
    "kind": "pause",
    "state": "running",
    "total": 4,
    "done": 1,
    "failed": 0,
    "paused": 1,
    "reason": "power test",
    "until": None,
    "started_at": "2026-03-01T12:00:00.000Z",
    "ended_at": None,
}
