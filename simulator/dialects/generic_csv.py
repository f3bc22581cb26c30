"""A CSV file with one row of values, as home-made sensors and loggers answer."""

from simulator.dialects.dialect import Dialect, Moment, Shape
from simulator.dialects.marks import bare


def _write(moment: Moment) -> str:
    sample = moment.sample
    cells = (
        bare("temperature", moment.degrees(sample.temperature_c, 2), "°C"),
        bare("humidity", round(sample.humidity_pct, 1), "%"),
        bare("co2", round(sample.co2_ppm), "ppm"),
        bare("pressure", round(sample.pressure_hpa, 1), "hPa"),
    )
    return f"serial,temperature,humidity,co2,pressure\n{moment.serial},{','.join(cells)}\n"


DIALECT = Dialect(name="generic-csv", path="/", write=_write, shape=Shape.CSV, content_type="text/csv")
