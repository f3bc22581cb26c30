"""Web Sensors of Comet: Latin-1 over HTTP/1.0, one connection at a time."""

from simulator.dialects.dialect import Dialect, Framing, Moment, json_text
from simulator.dialects.marks import text

REFUSAL = '{\n "devname":"simulated",\n "err":"1"\n}\n'


def _write(moment: Moment) -> str:
    """Every number a text, the fourth channel absent. The serial number is where nobody looks for a value."""
    sample, unit = moment.sample, f"°{moment.unit}"
    local = moment.local
    degrees = moment.degrees(sample.temperature_c)
    dew_point = moment.degrees(moment.dew_point)
    return json_text(
        {
            "devname": f"simulated {moment.serial}",
            "devsn": moment.decimal,
            "time": text("time", f"{local:%H:%M:%S %Y-%m-%d}"),
            "timeunix": text("time", int(moment.clock_s)),
            "synch": "1",
            "ch1": _channel("Temperature", unit, text("temperature", degrees, unit)),
            "ch2": _channel("Relative humidity", "%RH", text("humidity", round(sample.humidity_pct, 1), "%")),
            "ch3": _channel("Dew point", unit, text("dew_point", dew_point, unit)),
            "ch4": _channel("n/a", "n/a", "Error 2"),
        }
    )


def _channel(name: str, unit: str, value: str) -> dict[str, object]:
    return {"name": name, "unit": unit, "aval": value, "alarm": 0}


DIALECT = Dialect(
    name="comet-web-sensor",
    path="/values.json",
    write=_write,
    channel="ch1",
    charset="iso-8859-1",
    framing=Framing.HTTP10,
    sockets=1,
    zone="Europe/Prague",
    refusal=lambda _: REFUSAL,
)
