"""Units: a closed table of spellings that devices use, their UCUM codes, and the unit in which each is stored.

A unit library guesses (it reads `%RH` as "percent times ronnahenry"); a closed table says so when it does not know.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from collector.domain.errors import MisconfiguredError

_SPELLINGS: Mapping[str, tuple[str, ...]] = {
    "Cel": (
        *("C", "°C", "° C", "ºC", "º C", "℃", "&deg;C", "&#176;C", "deg.C", "degC", "deg C", "deg_C", "[`degree`C]"),
        *("Celsius", "celsius", "CELSIUS", "degrees C", "degrees Celsius"),
    ),
    "[degF]": (
        *("F", "°F", "° F", "ºF", "º F", "℉", "&deg;F", "&#176;F", "deg.F", "degF", "deg F", "deg_F", "[`degree`F]"),
        *("Fahrenheit", "fahrenheit", "FAHRENHEIT", "degrees F", "degrees Fahrenheit"),
    ),
    "K": ("°K", "Kelvin", "kelvin", "KELVIN"),
    "%": (
        *("%RH", "% RH", "%rH", "% rH", "%rh", "% rh", "%r.h.", "% r.h.", "%R.H.", "RH%", "%rF", "% rF"),
        *("percent", "Percent", "pct", "vol%", "%vol", "% vol", "Vol%", "%Vol"),
    ),
    "Pa": (),
    "hPa": ("mbar", "mb", "mBar", "hpa", "HPA"),
    "kPa": (),
    "bar": (),
    "[in_i'Hg]": ("inHg", 'inHg"', "in Hg", "inhg"),
    "mm[Hg]": ("mmHg", "mm Hg", "Torr", "mmhg"),
    "[psi]": ("psi",),
    "[ppm]": ("ppm", "PPM"),
    "[ppb]": ("ppb", "PPB"),
    "ug/m3": ("ug/m³", "µg/m³", "µg/m3", "μg/m³", "μg/m3", "ugm3", "ug/m^3", "µg/m^3", "μg/m^3"),
    "mg/m3": ("mg/m³", "mg/m^3"),
    "g/m3": ("g/m³", "g/m^3"),
    "lx": ("lux", "Lux", "LUX"),
    "klx": ("klux", "Klux"),
    "W": ("Watt",),
    "kW": (),
    "mW": (),
    "W/m2": ("W/m²", "W/m^2"),
    "V": ("Volt",),
    "A": ("Ampere",),
    "m/s": (),
    "km/h": ("kmh",),
    "[mi_i]/h": ("mph",),
    "mm": (),
    "mm/h": ("mm/hr", "mm/Hr"),
    "s": ("sec",),
    "1": ("count", "index"),
}
"""UCUM code -> other spellings of it. U+00B0 and U+00BA, U+2103, micro sign U+00B5 and Greek mu U+03BC all occur.

In a climate device `C` and `F` are temperatures, not coulomb and farad.
"""

_CODES: Mapping[str, str] = {s: code for code, spellings in _SPELLINGS.items() for s in (code, *spellings)}

SIGNIFICANT_DIGITS = 12
"""Of converted values: 50 K becomes -223.15, not -223.14999999999998, and no instrument has half as many."""


@dataclass(frozen=True, slots=True)
class Conversion:
    """`stored = (sent + before) * times / over`, rounded to `SIGNIFICANT_DIGITS`.

    Attributes:
        stored: UCUM code of the result.
        before: added first.
        times: then multiplied.
        over: then divided.
    """

    stored: str
    before: float = 0.0
    times: float = 1.0
    over: float = 1.0

    def apply(self, value: float) -> float:
        """Convert; may overflow to infinity."""
        return float(f"{(value + self.before) * self.times / self.over:.{SIGNIFICANT_DIGITS}g}")


_CONVERSIONS: Mapping[str, Conversion] = {
    "[degF]": Conversion("Cel", before=-32.0, times=5.0, over=9.0),
    "K": Conversion("Cel", before=-273.15),
    "Pa": Conversion("hPa", over=100.0),
    "kPa": Conversion("hPa", times=10.0),
    "bar": Conversion("hPa", times=1000.0),
    "[in_i'Hg]": Conversion("hPa", times=33.86389),  # NIST SP 811: inch of mercury, conventional
    "mm[Hg]": Conversion("hPa", times=1.333224),  # NIST SP 811: millimetre of mercury, conventional
    "[psi]": Conversion("hPa", times=68.94757),  # NIST SP 811
    "mg/m3": Conversion("ug/m3", times=1000.0),
    "klx": Conversion("lx", times=1000.0),
    "kW": Conversion("W", times=1000.0),
    "mW": Conversion("W", over=1000.0),
}


def find_unit(spelling: str) -> str | None:
    """The UCUM code of a spelling (blanks around it do not count), or None when the table has no such spelling."""
    return _CODES.get(spelling.strip())


def unit_code(spelling: str) -> str:
    """The UCUM code of a spelling.

    Raises:
        MisconfiguredError: the table does not know it; the detail shows it.
    """
    code = find_unit(spelling)
    if code is None:
        raise MisconfiguredError(f"unit: {spelling[:40]!a} is not in the table of units; {known_units()}")
    return code


def stored_unit(code: str) -> str:
    """The unit in which values of this UCUM code are stored; the code itself where nothing is converted."""
    conversion = _CONVERSIONS.get(code)
    return code if conversion is None else conversion.stored


def to_stored(value: float, code: str) -> float:
    """Convert a value of this UCUM code to `stored_unit(code)`; may overflow to infinity."""
    conversion = _CONVERSIONS.get(code)
    return value if conversion is None else conversion.apply(value)


def known_units() -> str:
    """The codes of the table, for messages."""
    return "known are " + ", ".join(_SPELLINGS)


def spellings() -> Mapping[str, str]:
    """Every spelling of the table and its UCUM code."""
    return dict(_CODES)
