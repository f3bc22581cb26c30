"""Devices with the firmware of sensor.community, one sensor as its API gives it: texts and a number in one list."""

from simulator.dialects.dialect import Dialect, Moment, json_text
from simulator.dialects.marks import number, text


def _write(moment: Moment) -> str:
    """The newest element of a sensor; the serial number is the number of the element."""
    sample = moment.sample
    pressure = sample.pressure_hpa * 100
    values = [
        ("temperature", text("temperature", f"{sample.temperature_c:.2f}", "°C")),
        ("pressure", text("pressure", f"{pressure:.2f}", "Pa")),
        ("humidity", text("humidity", f"{sample.humidity_pct:.2f}", "%")),
        ("pressure_at_sealevel", number("pressure_at_sealevel", round(pressure + 4_800, 2), "Pa")),
    ]
    return json_text(
        [
            {
                "timestamp": text("time", f"{moment.utc:%Y-%m-%d %H:%M:%S}"),
                "sensor": {
                    "id": int(moment.decimal),
                    "pin": "11",
                    "sensor_type": {"id": 17, "manufacturer": "Bosch", "name": "BME280"},
                },
                "location": {"country": "CZ", "indoor": 0},
                "sensordatavalues": [
                    {"value": value, "value_type": name, "id": place} for place, (name, value) in enumerate(values)
                ],
                "sampling_rate": None,
                "id": moment.serial,
            }
        ]
    )


DIALECT = Dialect(name="sensor-community", path="/data.json", write=_write)
