"""One sensor of a device with ESPHome's web server."""

from simulator.dialects.dialect import Dialect, Login, Moment, json_text
from simulator.dialects.marks import number, text


def _write(moment: Moment) -> str:
    """`{"id": "sensor-temperature", "value": 21.5, "state": "21.5 °C"}`; the serial number is beside them."""
    degrees, unit = moment.degrees(moment.sample.temperature_c), f"°{moment.unit}"
    return json_text(
        {
            "id": "sensor-temperature",
            "value": number("temperature", degrees, unit),
            "state": text("temperature", degrees, unit, glued=f" {unit}"),
            "count": moment.serial,
        }
    )


DIALECT = Dialect(
    name="esphome", path="/sensor/temperature", write=_write, channel="value", sockets=4, login=Login.BASIC
)
