"""Gateways of Ecowitt: sensors by hexadecimal numbers, units glued to values or beside them."""

from simulator.dialects.dialect import Dialect, Moment, json_text
from simulator.dialects.marks import text


def _write(moment: Moment) -> str:
    """Indoors and outdoors; the serial number is the voltage of nothing."""
    sample = moment.sample
    indoors = text("temperature", moment.degrees(sample.temperature_c), f"°{moment.unit}")
    outdoors = text("outdoor_temperature", moment.degrees(sample.temperature_c - 9), f"°{moment.unit}")
    humidity = text("humidity", round(sample.humidity_pct), "%", glued="%")
    outdoor_humidity = text("outdoor_humidity", min(100, round(sample.humidity_pct) + 12), "%", glued="%")
    pressure = text("pressure", round(sample.pressure_hpa, 1), "hPa", glued=" hPa")
    return json_text(
        {
            "common_list": [
                {"id": "0x02", "val": outdoors, "unit": moment.unit},
                {"id": "0x07", "val": outdoor_humidity},
                {"id": "3", "val": outdoors, "unit": moment.unit},
                {"id": "0x0B", "val": "0.4 m/s"},
            ],
            "rain": [{"id": "0x13", "val": "0.0 mm", "battery": str(moment.serial)}],
            "wh25": [
                {"intemp": indoors, "unit": moment.unit, "inhumi": humidity, "abs": pressure, "rel": pressure},
            ],
        }
    )


DIALECT = Dialect(name="ecowitt", path="/get_livedata_info", write=_write, channel="intemp")
