"""A flat XML document, as home-made sensors answer."""

from simulator.dialects.dialect import Dialect, Moment, Shape
from simulator.dialects.marks import bare


def _write(moment: Moment) -> str:
    sample = moment.sample
    return (
        '<?xml version="1.0" encoding="utf-8"?>\n<sensor>\n'
        f" <temperature>{bare('temperature', moment.degrees(sample.temperature_c, 2), '°C')}</temperature>\n"
        f" <humidity>{bare('humidity', round(sample.humidity_pct, 1), '%')}</humidity>\n"
        f" <co2>{bare('co2', round(sample.co2_ppm), 'ppm')}</co2>\n"
        f" <pressure>{bare('pressure', round(sample.pressure_hpa, 1), 'hPa')}</pressure>\n"
        f" <serial>{moment.serial}</serial>\n</sensor>\n"
    )


DIALECT = Dialect(name="generic-xml", path="/", write=_write, shape=Shape.XML, content_type="text/xml")
