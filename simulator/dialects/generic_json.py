"""A flat JSON object, as home-made sensors answer."""

from simulator.dialects.dialect import Answer, in_texts, json_answer
from simulator.replay import Sample


class GenericJson:
    """`GET /` answers `{"temperature": 21.53, "humidity": 44.1, "co2": 612, "pressure": 1013.2, "serial": 17}`."""

    name = "generic-json"
    path = "/"

    def answer(self, device_id: str, sample: Sample, serial: int) -> Answer:  # noqa: ARG002 - names nobody
        """The answer that carries these values and this serial number."""
        return json_answer(_document(sample, serial))

    def answer_in_texts(self, device_id: str, sample: Sample, serial: int) -> Answer:  # noqa: ARG002 - names nobody
        """The same answer with words where the measured numbers belong."""
        return json_answer(in_texts(_document(sample, serial), frozenset({"serial"})))


def _document(sample: Sample, serial: int) -> dict[str, object]:
    return {
        "temperature": round(sample.temperature_c, 2),
        "humidity": round(sample.humidity_pct, 1),
        "co2": round(sample.co2_ppm),
        "pressure": round(sample.pressure_hpa, 1),
        "serial": serial,
    }
