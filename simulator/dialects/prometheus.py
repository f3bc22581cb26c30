"""An exporter in Prometheus' text format."""

from simulator.dialects.dialect import Dialect, Moment, Shape
from simulator.dialects.marks import bare


def _write(moment: Moment) -> str:
    """Gauges by their usual names, the serial number a counter."""
    sample = moment.sample
    gauges = {
        "temperature_celsius": bare("temperature", round(sample.temperature_c, 2), "°C"),
        "humidity_percent": bare("humidity", round(sample.humidity_pct, 1), "%"),
        "co2_ppm": bare("co2", round(sample.co2_ppm), "ppm"),
        "pressure_hpa": bare("pressure", round(sample.pressure_hpa, 1), "hPa"),
    }
    lines = [
        f'# HELP {name} Of the room\n# TYPE {name} gauge\n{name}{{room="1"}} {value}\n'
        for name, value in gauges.items()
    ]
    return "".join(lines) + f"# TYPE answers_total counter\nanswers_total {moment.serial}\n"


DIALECT = Dialect(
    name="prometheus",
    path="/metrics",
    write=_write,
    channel="temperature_celsius",
    shape=Shape.METRICS,
    content_type="text/plain; version=0.0.4; charset=utf-8",
)
