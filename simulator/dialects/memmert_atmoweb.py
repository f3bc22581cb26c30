"""Incubators and ovens of Memmert, by AtmoWEB: a request whose parameter has a value changes the chamber."""

from simulator.dialects.dialect import Dialect, Framing, Moment, Shape, json_text
from simulator.dialects.marks import number

SETPOINT_C = "37.0"
ASKED = (
    *("Temp1Read", "Temp2Read", "Temp3Read", "Temp4Read", "HumRead", "CO2Read", "O2Read", "VacRead", "FanRead"),
    *("TempSet", "HumSet", "CO2Set", "SN"),
)


def _write(moment: Moment) -> str:
    """Exactly the parameters asked, each with a comma behind it; `N/A` for those that this chamber has not."""
    values = _values(moment)
    return "".join(f"{json_text(name)}: {json_text(values.get(name, 'N/A'))},\r\n" for name in moment.asked)


def _refused(moment: Moment) -> str:
    """Remote access is switched off at the panel."""
    return "".join(f'{json_text(name)}: "PermissionDenied",\r\n' for name in moment.asked)


def _values(moment: Moment) -> dict[str, object]:
    sample = moment.sample
    return {
        "Temp1Read": number("temperature", round(sample.temperature_c, 2), "°C"),
        "HumRead": number("humidity", round(sample.humidity_pct, 1), "%"),
        "CO2Read": number("co2", round(sample.co2_ppm / 10_000, 3), "%"),
        "TempSet": _setpoint(moment.settings.get("TempSet", SETPOINT_C)),
        "CurOp": "Manual",
        "SN": f"F{moment.decimal}",
        "DevType": "ICO105",
        "SWRev": f"A2.{moment.serial}",
    }


def _setpoint(written: str) -> float | str:
    """What was written, whatever it is."""
    try:
        return float(written)
    except ValueError:
        return written


DIALECT = Dialect(
    name="memmert-atmoweb",
    path=f"/atmoweb?{'&'.join(f'{name}=' for name in ASKED)}",
    write=_write,
    channel="Temp1Read",
    shape=Shape.FRAGMENT,
    content_type="Unknown",
    framing=Framing.UNTIL_CLOSE,
    headers=("Server: Memmert",),
    refusal=_refused,
    writes_by_query=True,
)
