"""Adapters of Daikin air conditioners: key=value pairs on one line, and a word that says whether it worked."""

from simulator.dialects.dialect import Dialect, Moment, Shape
from simulator.dialects.marks import bare

REFUSAL = "ret=PARAM NG"


def _write(moment: Moment) -> str:
    """Indoors and outdoors, no humidity; the serial number is the compressor's frequency."""
    indoors = bare("temperature", round(moment.sample.temperature_c, 1), "°C")
    outdoors = bare("outdoor_temperature", round(moment.sample.temperature_c - 9, 1), "°C")
    return f"ret=OK,htemp={indoors},hhum=-,otemp={outdoors},err=0,cmpfreq={moment.serial}"


DIALECT = Dialect(
    name="daikin",
    path="/aircon/get_sensor_info",
    write=_write,
    channel="htemp",
    shape=Shape.PAIRS,
    content_type="text/plain",
    refusal=lambda _: REFUSAL,
)
