"""Nettigo Air Monitors: every number a text, pressure in pascals."""

from simulator.dialects.airgradient import dust_of
from simulator.dialects.dialect import Dialect, Login, Moment, json_text
from simulator.dialects.marks import text


def _write(moment: Moment) -> str:
    """A list of values by type; the serial number is the strength of its network's signal, upside down."""
    sample, dust = moment.sample, dust_of(moment)
    values = {
        "SDS_P1": text("pm10", f"{dust + 3:.2f}", "ug/m3"),
        "SDS_P2": text("pm2_5", f"{dust:.2f}", "ug/m3"),
        "conc_co2_ppm": text("co2", round(sample.co2_ppm), "ppm"),
        "BME280_temperature": text("temperature", f"{sample.temperature_c:.2f}", "°C"),
        "BME280_humidity": text("humidity", f"{sample.humidity_pct:.2f}", "%"),
        "BME280_pressure": text("pressure", f"{sample.pressure_hpa * 100:.2f}", "Pa"),
        "signal": str(-moment.serial),
    }
    return json_text(
        {
            "software_version": "NAMF-2020-36",
            "uptime": str(int(moment.uptime_s)),
            "sensordatavalues": [{"value_type": name, "value": value} for name, value in values.items()],
        }
    )


DIALECT = Dialect(name="nettigo", path="/data.json", write=_write, channel="BME280_temperature", login=Login.BASIC)
