"""The local interface of Awair, which has a clock in UTC."""

from simulator.dialects.airgradient import dust_of
from simulator.dialects.dialect import Dialect, Moment, json_text
from simulator.dialects.marks import number, text


def _write(moment: Moment) -> str:
    """A flat object; the serial number is where the device keeps a baseline that nobody reads."""
    sample, dust = moment.sample, dust_of(moment)
    return json_text(
        {
            "timestamp": text("time", f"{moment.utc:%Y-%m-%dT%H:%M:%S}.{moment.utc.microsecond // 1000:03d}Z"),
            "score": 94,
            "dew_point": number("dew_point", round(moment.dew_point, 2), "°C"),
            "temp": number("temperature", round(sample.temperature_c, 2), "°C"),
            "humid": number("humidity", round(sample.humidity_pct, 2), "%"),
            "abs_humid": number("absolute_humidity", round(sample.humidity_pct / 5, 2), "g/m3"),
            "co2": number("co2", round(sample.co2_ppm), "ppm"),
            "co2_est": number("co2_estimate", round(sample.co2_ppm) + 20, "ppm"),
            "co2_est_baseline": moment.serial,
            "voc": number("voc", 100 + dust, "ppb"),
            "pm25": number("pm2_5", dust, "ug/m3"),
            "pm10_est": number("pm10", dust + 1, "ug/m3"),
        }
    )


DIALECT = Dialect(name="awair", path="/air-data/latest", write=_write, channel="temp")
