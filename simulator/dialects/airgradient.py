"""The local interface of AirGradient air sensors."""

import hashlib

from simulator.dialects.dialect import Answer, in_texts, json_answer
from simulator.replay import Sample

COUNTERS = frozenset({"boot", "bootCount"})
"""A real device counts its starts here; a simulated one puts the serial number of the answer."""


class AirGradient:
    """`GET /measures/current` answers a flat object with the keys of the device's firmware 3.1."""

    name = "airgradient"
    path = "/measures/current"

    def answer(self, device_id: str, sample: Sample, serial: int) -> Answer:
        """The answer that carries these values and this serial number."""
        return json_answer(_document(device_id, sample, serial))

    def answer_in_texts(self, device_id: str, sample: Sample, serial: int) -> Answer:
        """The same answer with words where the measured numbers belong."""
        return json_answer(in_texts(_document(device_id, sample, serial), COUNTERS))


def _document(device_id: str, sample: Sample, serial: int) -> dict[str, object]:
    dust = 3 + int(sample.co2_ppm) // 60  # people stir up dust as they breathe out: it follows the CO2
    return {
        "wifi": -48 - serial % 9,
        "serialno": hashlib.sha256(device_id.encode()).hexdigest()[:12],
        "rco2": round(sample.co2_ppm),
        "pm01": dust,
        "pm02": dust + dust // 2,
        "pm10": 2 * dust,
        "pm003Count": 80 * dust,
        "tvocIndex": 60 + dust * 4,
        "noxIndex": 1 + dust % 2,
        "atmp": round(sample.temperature_c, 2),
        "atmpCompensated": round(sample.temperature_c - 0.85, 2),
        "rhum": round(sample.humidity_pct, 2),
        "rhumCompensated": round(min(100.0, sample.humidity_pct + 3.1), 2),
        "boot": serial,
        "bootCount": serial,
        "firmware": "3.1.1",
        "model": "I-9PSL",
    }
