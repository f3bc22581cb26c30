"""What a method asks of a call: who calls, for which thing, by which use cases."""

import re
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any

from api.services import Services
from api.streams import Streams
from collector.domain.chamber import ID_PATTERN
from collector.domain.credentials import ID_OF_CREDENTIAL
from collector.domain.errors import NotFoundError, UnauthenticatedError
from collector.domain.organization import BATCH_PATTERN
from collector.domain.section_order import OPERATION_PATTERN
from collector.ports import Principal
from collector.usecases.admit import REMEDY, Admission


@dataclass(slots=True)
class Whose:
    """Whose deed a call that nobody signs turned out to be, where its answer does not say so; empty = nobody's."""

    organization: str = ""
    user_id: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One admitted call.

    Attributes:
        use: the use cases.
        streams: the open ones of this process, those of the REST API among them.
        admission: who calls, and for what.
        whose: for the audit event.
    """

    use: Services
    streams: Streams
    admission: Admission
    whose: Whose = field(default_factory=Whose)

    @property
    def caller(self) -> Principal:
        """Who calls.

        Raises:
            UnauthenticatedError: nobody: a method that the gate lets nobody through to stays closed.
        """
        if self.admission.principal is None:
            raise UnauthenticatedError("there is no API key", REMEDY)
        return self.admission.principal

    @property
    def organization(self) -> str:
        """In which the caller acts."""
        return self.caller.organization

    async def chamber(self, chamber_id: str) -> str:
        """The id, of a chamber that the caller may reach.

        Raises:
            NotFoundError: there is none in the caller's bounds.
        """
        await self.use.bounds.chamber(self.caller, _possible("chamber", chamber_id))
        return chamber_id

    async def section(self, section_id: str) -> str:
        """The id, of a section that the caller may reach.

        Raises:
            NotFoundError: there is none in the caller's bounds.
        """
        self.use.bounds.section(self.caller, _possible("section", section_id))
        return section_id

    async def batch(self, batch_id: str) -> str:
        """The id, of a batch that the caller may reach.

        Raises:
            NotFoundError: there is none in the caller's bounds.
        """
        await self.use.bounds.batch(self.caller, _possible("batch", batch_id, BATCH_PATTERN))
        return batch_id

    def narrowed(self, section: str | None) -> str | None:
        """The section to which a list is limited; None = all of them.

        Raises:
            ForbiddenError: another one than the caller is bound to is asked for.
        """
        return self.use.bounds.narrowed(self.caller, section)


def organization_id(text: str) -> str:
    """The id, if an organization can have it.

    Raises:
        NotFoundError: none can.
    """
    return _possible("organization", text)


def operation_id(text: str) -> str:
    """The id, if an operation can have it.

    Raises:
        NotFoundError: none can.
    """
    return _possible("operation", text, OPERATION_PATTERN)


def user_id(text: str) -> str:
    """The id, if a user can have it.

    Raises:
        NotFoundError: none can.
    """
    return _possible("user", text, ID_OF_CREDENTIAL)


def invitation_id(text: str) -> str:
    """The id, if an invitation can have it.

    Raises:
        NotFoundError: none can.
    """
    return _possible("invitation", text, ID_OF_CREDENTIAL)


def _possible(kind: str, text: str, pattern: re.Pattern[str] = ID_PATTERN) -> str:
    if not pattern.fullmatch(text):  # nothing can have it: the store need not be asked
        raise NotFoundError(f"there is no {kind} {text[:80]!r}")
    return text


Method = Callable[[Call, Any], Awaitable[Any] | AsyncIterator[Any]]
"""From a call and its request to the answer, or to the answers as they come."""
Methods = Mapping[str, Method]
"""Of a service, by the names of the proto."""

CALL: ContextVar[Call] = ContextVar("call")
"""What the gate lets through: the context of gRPC has no room for it."""
