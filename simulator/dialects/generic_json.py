"""A flat JSON object, as home-made sensors answer."""

from simulator.dialects.dialect import Dialect, Moment, json_text
from simulator.dialects.marks import number


def _write(moment: Moment) -> str:
    """`{"temperature": 21.53, "humidity": 44.1, "co2": 612, "pressure": 1013.2, "serial": 17}`."""
    sample = moment.sample
    return json_text(
        {
            "temperature": number("temperature", moment.degrees(sample.temperature_c, 2), "°C"),
            "humidity": number("humidity", round(sample.humidity_pct, 1), "%"),
            "co2": number("co2", round(sample.co2_ppm), "ppm"),
            "pressure": number("pressure", round(sample.pressure_hpa, 1), "hPa"),
            "serial": moment.serial,
        }
    )


DIALECT = Dialect(name="generic-json", path="/", write=_write)
