"""The dialects that simulated devices speak: one small module each, listed here."""

from simulator.dialects import (
    airgradient,
    airgradient_metrics,
    awair,
    comet_web_sensor,
    daikin,
    ecowitt,
    espec_web_controller,
    esphome,
    generic_csv,
    generic_json,
    generic_xml,
    home_assistant,
    hw_group,
    memmert_atmoweb,
    nettigo,
    papouch_tme,
    prometheus,
    purpleair,
    sensor_community,
    shelly_rpc,
    tasmota,
)
from simulator.dialects.dialect import Answer, Dialect, Framing, Login, Moment, Shape

_MODULES = (
    airgradient,
    generic_json,
    memmert_atmoweb,
    espec_web_controller,
    comet_web_sensor,
    hw_group,
    papouch_tme,
    shelly_rpc,
    tasmota,
    esphome,
    airgradient_metrics,
    awair,
    purpleair,
    ecowitt,
    nettigo,
    sensor_community,
    daikin,
    home_assistant,
    prometheus,
    generic_xml,
    generic_csv,
)
DIALECTS: dict[str, Dialect] = {module.DIALECT.name: module.DIALECT for module in _MODULES}
"""By the name of the built-in profile that reads them, in the order in which a fleet of all takes turns with them."""
USUAL = ("airgradient", "generic-json")
"""What a fleet speaks that is not told otherwise: many devices, few kinds."""


def named(text: str) -> tuple[str, ...]:
    """The dialects that a person asks for: `all`, or names with commas.

    Raises:
        ValueError: there is no dialect of a name; says which there are.
    """
    names = tuple(DIALECTS) if text.strip() == "all" else tuple(name.strip() for name in text.split(","))
    if unknown := [name for name in names if name not in DIALECTS]:
        raise ValueError(f"{unknown[0][:80]!r} is no dialect; use all, or some of {', '.join(DIALECTS)}")
    return names


__all__ = ["DIALECTS", "USUAL", "Answer", "Dialect", "Framing", "Login", "Moment", "Shape", "named"]
