"""The simulated fleet: which chambers the simulator's devices are."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from stack.errors import DataError

INTERVALS_S = (1, 1, 2, 2, 5, 5, 10, 10, 15, 20, 30, 60)
"""From the fastest that is allowed to the slowest that a run of a minute can show; repeated for larger fleets."""
LABELS = {"simulated": "true"}


@dataclass(frozen=True, slots=True)
class SimulatedDevice:
    """One device as the simulator announces it; `dialect` is the name of the profile that reads it."""

    id: str
    url: str
    dialect: str
    port: int


def read_devices(file: Path) -> list[SimulatedDevice]:
    """Read the simulator's devices file.

    Raises:
        DataError: it is not one.
    """
    try:
        rows = json.loads(file.read_text())["devices"]
        devices = [SimulatedDevice(str(r["id"]), str(r["url"]), str(r["dialect"]), int(r["port"])) for r in rows]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise DataError(f"{file} is not the simulator's list of devices ({error}); remove it and start again") from None
    if not devices:
        raise DataError(f"{file} lists no device; remove it and start again")
    return devices


def chambers_of(devices: list[SimulatedDevice]) -> list[dict[str, Any]]:
    """The chambers to enrol, one a device: bodies for `POST /v1/chambers`."""
    return [
        {
            "id": device.id,
            "section": "default",
            "url": device.url,
            "profile": device.dialect,
            "interval_s": INTERVALS_S[number % len(INTERVALS_S)],
            "name": f"Simulated {device.dialect} {number + 1}",
            "labels": LABELS,
        }
        for number, device in enumerate(devices)
    ]


def is_simulated(chamber: dict[str, Any]) -> bool:
    """Whether this stack enrolled the chamber for a simulated device."""
    labels = chamber.get("labels") or {}
    return all(labels.get(name) == value for name, value in LABELS.items())
