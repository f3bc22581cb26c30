"""One entity of Home Assistant, behind a token."""

from simulator.dialects.dialect import Dialect, Login, Moment, json_text
from simulator.dialects.marks import text


def _write(moment: Moment) -> str:
    """State and attributes; the serial number is in its context."""
    unit, now = f"°{moment.unit}", f"{moment.utc:%Y-%m-%dT%H:%M:%S.%f}+00:00"
    return json_text(
        {
            "entity_id": "sensor.temperature",
            "state": text("temperature", moment.degrees(moment.sample.temperature_c), unit),
            "attributes": {
                "state_class": "measurement",
                "unit_of_measurement": unit,
                "device_class": "temperature",
                "friendly_name": "Temperature",
            },
            "last_changed": text("time", now),
            "last_reported": text("time", now),
            "last_updated": text("time", now),
            "context": {"id": f"{moment.serial:026d}", "parent_id": None, "user_id": None},
        }
    )


DIALECT = Dialect(
    name="home-assistant",
    path="/api/states/sensor.temperature",
    write=_write,
    channel="state",
    login=Login.BEARER,
    always_locked=True,
)
