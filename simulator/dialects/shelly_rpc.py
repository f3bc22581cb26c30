"""Shelly devices of the second generation and later, by RPC."""

from simulator.dialects.dialect import Dialect, Login, Moment, json_text
from simulator.dialects.marks import number


def _write(moment: Moment) -> str:
    """The whole status; the serial number counts writes of its configuration."""
    sample, mac = moment.sample, moment.hexadecimal.upper()
    celsius = round(sample.temperature_c, 1)
    return json_text(
        {
            "ble": {},
            "cloud": {"connected": False},
            "temperature:0": {
                "id": 0,
                "tC": number("temperature", celsius, "°C"),
                "tF": number("temperature", round(celsius * 1.8 + 32, 1), "°F"),
            },
            "humidity:0": {"id": 0, "rh": number("humidity", round(sample.humidity_pct, 1), "%")},
            "devicepower:0": {"id": 0, "battery": {"V": 5.9, "percent": 87}, "external": {"present": True}},
            "sys": {
                "mac": mac,
                "restart_required": False,
                "unixtime": number("time", int(moment.clock_s)),
                "uptime": int(moment.uptime_s),
                "cfg_rev": moment.serial,
            },
            "wifi": {"sta_ip": "192.0.2.7", "status": "got ip", "rssi": -55},
        }
    )


DIALECT = Dialect(
    name="shelly-rpc",
    path="/rpc/Shelly.GetStatus",
    write=_write,
    channel="temperature:0",
    headers=("Server: ShellyHTTP/1.0.0",),
    login=Login.DIGEST,
)
