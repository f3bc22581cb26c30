"""From a device's answer to measurements, and the answer to where last answers are kept."""

from collector.domain.memory import Memory
from collector.mapping.answer import MappedAnswer, map_answer
from collector.mapping.circumstances import Circumstances
from collector.mapping.credentials import quoting_no_secret
from collector.ports import NO_TRACING, Tracing
from collector.usecases import spans
from collector.usecases.keep_answers import KeepAnswers, Seen


class MapAnswer:
    """Maps an answer and has it kept, whether it maps or not; the same answer and memory again map the same."""

    def __init__(self, answers: KeepAnswers | None = None, *, tracing: Tracing = NO_TRACING) -> None:
        self._answers, self._tracing = answers, tracing

    def __call__(self, seen: Seen, memory: Memory | None) -> MappedAnswer:
        """The measurements of an answer, judged by the memory.

        Raises:
            SlotFailedError: it does not map; what is quoted of it has no secret.
        """
        spec = seen.spec
        known = Circumstances(seen.received_ms, spec.timezone, spec.serial_number, spec.version, memory)
        try:
            with self._tracing.span(spans.MAP), quoting_no_secret(seen.body, seen.secret):
                mapped = map_answer(seen.profile, seen.body, known)
        except Exception as error:
            if self._answers is not None:
                self._answers.failure(seen, error)
            raise
        if self._answers is not None:
            self._answers.success(seen, mapped)
        return mapped
