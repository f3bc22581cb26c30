"""HWg-STE and its relatives of HW group."""

from simulator.dialects.dialect import Dialect, Login, Moment, Shape
from simulator.dialects.marks import bare

NAMESPACE = "http://www.hw-group.com/XMLSchema/ste/values.xsd"


def _write(moment: Moment) -> str:
    """Two sensors; the serial number is where the agent has its version."""
    sample = moment.sample
    mac = ":".join(moment.hexadecimal[at : at + 2] for at in range(0, 12, 2)).upper()
    degrees = bare("temperature", moment.degrees(sample.temperature_c), "°C")
    humidity = bare("humidity", round(sample.humidity_pct, 1), "%")
    return (
        f'<?xml version="1.0" encoding="utf-8"?>\n<val:Root xmlns:val="{NAMESPACE}">\n'
        f"<Agent><Version>2.1.{moment.serial}</Version><DeviceName>HWg-STE</DeviceName><MAC>{mac}</MAC></Agent>\n"
        f"<SenSet>\n{_entry(215, 'Temperature', moment.unit, degrees)}{_entry(216, 'Humidity', '%RH', humidity)}"
        "</SenSet>\n</val:Root>\n"
    )


def _entry(number: int, name: str, unit: str, value: str) -> str:
    return (
        f"<Entry><ID>{number}</ID><Name>{name}</Name><Units>{unit}</Units><Value>{value}</Value>"
        "<Min>5.0</Min><Max>95.0</Max><Hyst>0.0</Hyst><State>1</State></Entry>\n"
    )


DIALECT = Dialect(
    name="hw-group",
    path="/values.xml",
    write=_write,
    channel="Entry",
    shape=Shape.XML,
    content_type="text/xml",
    login=Login.BASIC,
)
