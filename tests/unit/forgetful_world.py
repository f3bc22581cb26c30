"""A world that does what it is asked for, and loses its store before the audit event."""

from dataclasses import replace

from adapters.memory import InMemoryEvents
from api.services import Ports
from collector.domain.errors import AwayError
from collector.ports import AuditEvent
from tests.unit.api_world import World


class Forgetful(InMemoryEvents):
    """An event log that cannot be written while `away`."""

    away = False

    async def add(self, event: AuditEvent) -> None:
        if self.away:
            raise AwayError("PostgreSQL cannot be reached")
        await super().add(event)


class ForgetfulWorld(World):
    """A world with such a log."""

    def ports(self) -> Ports:
        self.log = Forgetful(self.ledger)
        return replace(super().ports(), events=self.log)
