"""The dialects that simulated devices speak: one small module each, listed here."""

from simulator.dialects.airgradient import AirGradient
from simulator.dialects.dialect import Answer, Dialect
from simulator.dialects.generic_json import GenericJson

DIALECTS: tuple[Dialect, ...] = (AirGradient(), GenericJson())
"""In the order in which a fleet takes turns with them; names are those of the built-in profiles."""

__all__ = ["DIALECTS", "AirGradient", "Answer", "Dialect", "GenericJson"]
