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
    """One device as the simulator announces it.

    Attributes:
        id: of the device.
        url: where its measurements stand.
        dialect: name of the profile that reads it.
        port: TCP.
        timezone: of its clock, where its time names none; "" = it is not needed.
        secret_ref: what leads to the secret that it wants; "" = it wants none.
    """

    id: str
    url: str
    dialect: str
    port: int
    timezone: str = ""
    secret_ref: str = ""


def read_devices(file: Path) -> list[SimulatedDevice]:
    """Read the simulator's devices file.

    Raises:
        DataError: it is not one.
    """
    try:
        rows = json.loads(file.read_text())["devices"]
        devices = [_device(row) for row in rows]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise DataError(f"{file} is not the simulator's list of devices ({error}); remove it and start again") from None
    if not devices:
        raise DataError(f"{file} lists no device; remove it and start again")
    return devices


def _device(row: dict[str, Any]) -> SimulatedDevice:
    wanted = {name: str(row[name]) for name in ("timezone", "secret_ref") if name in row}
    return SimulatedDevice(str(row["id"]), str(row["url"]), str(row["dialect"]), int(row["port"]), **wanted)


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
        | _wanted(device)
        for number, device in enumerate(devices)
    ]


def _wanted(device: SimulatedDevice) -> dict[str, str]:
    """What only some devices need."""
    wanted = {"timezone": device.timezone, "secret_ref": device.secret_ref}
    return {name: value for name, value in wanted.items() if value}


def is_simulated(chamber: dict[str, Any]) -> bool:
    """Whether this stack enrolled the chamber for a simulated device."""
    labels = chamber.get("labels") or {}
    return all(labels.get(name) == value for name, value in LABELS.items())
