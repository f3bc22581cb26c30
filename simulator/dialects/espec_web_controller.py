"""Chambers of ESPEC North America, by their web controller."""

from datetime import UTC

from simulator.dialects.dialect import Dialect, Moment, json_text
from simulator.dialects.marks import number, text

SETPOINT_C, SETPOINT_PCT = 23.0, 50.0


def _write(moment: Moment) -> str:
    """One chamber with its loops. `uts` is its wall clock read as UTC, as on the device."""
    local = moment.local
    return json_text(
        {
            "alarms": {
                "list": [{"controller": 1, "id": 115, "name": "Sensor Failure", "triggered": False}],
                "ok": True,
            },
            "controllers": [{"cascade": True, "humidity": True, "model": "P300"}],
            "events": [],
            "loops": [_temperature(moment), _humidity(moment)],
            "operations": {
                "datetime": {
                    "strftime": text("time", f"{local:%a %b %d %Y %H:%M:%S}"),
                    "uts": number("time", local.replace(tzinfo=UTC).timestamp()),
                },
                "mode": "Constant",
                "program": {"name": None, "number": moment.serial, "step": None},
            },
            "uri": "/api/v1.0/chambers/1",
        }
    )


def _temperature(moment: Moment) -> dict[str, object]:
    unit = f"°{moment.unit}"
    celsius, set_to = moment.sample.temperature_c, moment.degrees(SETPOINT_C)
    air = number("temperature", moment.degrees(celsius), unit)
    product = number("product_temperature", moment.degrees(celsius - 0.3), unit)
    return {
        "N": 1,
        "name": "Temperature",
        "power": {"constant": None, "current": None},
        "processValue": {"air": air, "product": product},
        "range": {"max": 190.0, "min": -80.0},
        "setValue": {"air": set_to, "constant": set_to, "current": set_to, "product": 0.0},
        "units": unit,
        "valid": True,
    }


def _humidity(moment: Moment) -> dict[str, object]:
    return {
        "N": 2,
        "name": "Humidity",
        "power": {"constant": None, "current": None},
        "processValue": {"air": number("humidity", round(moment.sample.humidity_pct, 1), "%")},
        "range": {"max": 98.0, "min": 10.0},
        "setValue": {"air": SETPOINT_PCT, "constant": SETPOINT_PCT, "current": SETPOINT_PCT},
        "units": "%RH",
        "valid": True,
    }


DIALECT = Dialect(
    name="espec-web-controller",
    path="/api/v1.0/chambers/1",
    write=_write,
    channel="Temperature",
    zone="America/New_York",
)
