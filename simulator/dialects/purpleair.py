"""The local interface of PurpleAir: degrees Fahrenheit, and a time that is nearly ISO 8601."""

from simulator.dialects.airgradient import dust_of
from simulator.dialects.dialect import Dialect, Moment, json_text
from simulator.dialects.marks import number, text


def _write(moment: Moment) -> str:
    """A flat object with two laser channels; the serial number counts its requests to the cloud."""
    sample, dust = moment.sample, dust_of(moment)
    fahrenheit = round(sample.temperature_c * 1.8 + 32)
    mac = ":".join(moment.hexadecimal[at : at + 2] for at in range(0, 12, 2))
    return json_text(
        {
            "SensorId": mac,
            "DateTime": text("time", f"{moment.utc:%Y/%m/%dT%H:%M:%S}z"),
            "Geo": f"PurpleAir-{moment.hexadecimal[-4:]}",
            "version": "7.02",
            "uptime": int(moment.uptime_s),
            "rssi": -58,
            "httpsends": moment.serial,
            "place": "inside",
            "current_temp_f": number("temperature", fahrenheit, "°F"),
            "current_humidity": number("humidity", round(sample.humidity_pct), "%"),
            "current_dewpoint_f": number("dew_point", round(moment.dew_point * 1.8 + 32), "°F"),
            "pressure": number("pressure", round(sample.pressure_hpa, 2), "hPa"),
            "pm2.5_aqi": number("index", 4 * dust),
            "pm1_0_atm": number("pm1", dust, "ug/m3"),
            "pm2_5_atm": number("pm2_5", dust + 2, "ug/m3"),
            "pm10_0_atm": number("pm10", dust + 3, "ug/m3"),
            "pm1_0_cf_1": number("pm1", dust, "ug/m3"),
            "pm2_5_cf_1": number("pm2_5", dust + 2, "ug/m3"),
            "pm10_0_cf_1": number("pm10", dust + 3, "ug/m3"),
            "pm1_0_atm_b": number("pm1", dust + 1, "ug/m3"),
            "pm2_5_atm_b": number("pm2_5", dust + 3, "ug/m3"),
            "pm10_0_atm_b": number("pm10", dust + 4, "ug/m3"),
            "response_date": int(moment.clock_s) - 66,
            "wlstate": "Connected",
        }
    )


DIALECT = Dialect(name="purpleair", path="/json?live=true", write=_write, channel="current_temp_f")
