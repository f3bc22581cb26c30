"""The last answers of chambers, in memory."""

from collections.abc import Sequence

from adapters.memory.ledger import InMemoryLedger
from collector.ports.answers import ChamberAnswer


class InMemoryAnswers:
    """`AnswerKeeper` and `AnswerShelf` over an `InMemoryLedger`."""

    def __init__(self, ledger: InMemoryLedger) -> None:
        self._ledger = ledger

    def offer(self, answer: ChamberAnswer) -> None:
        """Take it; see `AnswerKeeper.offer`."""
        if self._ledger.away or answer.chamber_id not in self._ledger.chambers:
            return
        key = (answer.chamber_id, answer.kind)
        before = self._ledger.answers.get(key)
        if before is None or before.received_ms <= answer.received_ms:
            self._ledger.answers[key] = answer

    async def settled(self) -> None:
        """Return when everything that was offered is kept: at once."""

    async def answers(self, organization: str, chamber_id: str) -> Sequence[ChamberAnswer]:
        """The last ones; see `AnswerShelf.answers`."""
        self._ledger.chamber_of(organization, chamber_id)
        kept = [answer for (whose, _), answer in self._ledger.answers.items() if whose == chamber_id]
        return sorted(kept, key=lambda answer: -answer.received_ms)
