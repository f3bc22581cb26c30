"""The local interface of AirGradient air sensors."""

from simulator.dialects.dialect import Dialect, Moment, json_text
from simulator.dialects.marks import number


def _write(moment: Moment) -> str:
    """A flat object with the keys of firmware 3.1. The serial number is where a real device counts its starts."""
    sample, serial = moment.sample, moment.serial
    dust = dust_of(moment)
    return json_text(
        {
            "wifi": -48 - serial % 9,
            "serialno": moment.hexadecimal,
            "rco2": number("co2", round(sample.co2_ppm), "ppm"),
            "pm01": number("pm1", dust, "ug/m3"),
            "pm02": number("pm2_5", dust + dust // 2, "ug/m3"),
            "pm10": number("pm10", 2 * dust, "ug/m3"),
            "pm003Count": number("count", 80 * dust),
            "tvocIndex": number("index", 60 + dust * 4),
            "noxIndex": number("index", 1 + dust % 2),
            "atmp": number("temperature", round(sample.temperature_c, 2), "°C"),
            "atmpCompensated": number("temperature", round(sample.temperature_c - 0.85, 2), "°C"),
            "rhum": number("humidity", round(sample.humidity_pct, 2), "%"),
            "rhumCompensated": number("humidity", round(min(100.0, sample.humidity_pct + 3.1), 2), "%"),
            "boot": serial,
            "bootCount": serial,
            "firmware": "3.1.1",
            "model": "I-9PSL",
        }
    )


def dust_of(moment: Moment) -> int:
    """Dust in micrograms per cubic metre: people stir it up as they breathe out, so it follows the CO2."""
    return 3 + int(moment.sample.co2_ppm) // 60


DIALECT = Dialect(name="airgradient", path="/measures/current", write=_write, channel="atmp")
