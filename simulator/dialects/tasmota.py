"""Devices with Tasmota: local time without a zone, user and password in the query."""

from simulator.dialects.dialect import Dialect, Login, Moment, json_text
from simulator.dialects.marks import number, text

REFUSAL = '{"WARNING":"Need user=<username>&password=<password>"}'


def _write(moment: Moment) -> str:
    """`Status 10` with one sensor; the serial number is a counter of it that no profile reads."""
    sample = moment.sample
    return json_text(
        {
            "StatusSNS": {
                "Time": text("time", f"{moment.local:%Y-%m-%dT%H:%M:%S}"),
                "AM2301": {
                    "Temperature": number("temperature", moment.degrees(sample.temperature_c), f"°{moment.unit}"),
                    "Humidity": number("humidity", round(sample.humidity_pct, 1), "%"),
                    "DewPoint": number("dew_point", moment.degrees(moment.dew_point), f"°{moment.unit}"),
                },
                "COUNTER": {"C1": moment.serial},
                "TempUnit": moment.unit,
            }
        }
    )


DIALECT = Dialect(
    name="tasmota",
    path="/cm?cmnd=Status%2010",
    write=_write,
    channel="AM2301",
    login=Login.QUERY,
    zone="Europe/Berlin",
    refusal=lambda _: REFUSAL,
)
