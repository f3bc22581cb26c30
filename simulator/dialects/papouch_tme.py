"""Thermometers TME of Papouch: tenths of a degree in an attribute, units by number."""

from simulator.dialects.dialect import Dialect, Login, Moment, Shape
from simulator.dialects.marks import bare


def _write(moment: Moment) -> str:
    """One thermometer; the serial number is where people write its location."""
    tenths = round(moment.degrees(moment.sample.temperature_c) * 10)
    unit = "1" if moment.fahrenheit else "0"
    return (
        '<?xml version="1.0" encoding="iso-8859-1"?>\n<root xmlns="http://www.papouch.com/xml/TME/act">\n'
        f'<sns id="1" type="4" location="No. {moment.serial}" status="0" hi="0" lo="0" unit="{unit}"'
        f' val="{bare("temperature", tenths, "°C")}" min="-9999" max="9999"/>'
        f'<status location="Simulated" mac="{moment.hexadecimal.upper()}" /></root>\n'
    )


DIALECT = Dialect(
    name="papouch-tme",
    path="/fresh.xml",
    write=_write,
    channel="sns",
    shape=Shape.XML,
    content_type="text/xml",
    charset="iso-8859-1",
    login=Login.BASIC,
)
