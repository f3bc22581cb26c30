"""How far a key of one section reaches: the same for the API and for gRPC. Whoever is bound to none passes everywhere.

What stands in another section is answered like what is not there. Asking by name for another section is refused, also
when there is none of that name: nobody learns from it which there are.
"""

from collector.domain.chamber import ChamberSpec
from collector.domain.errors import ConflictError, ForbiddenError, InvalidFieldError, NotFoundError
from collector.domain.organization import Batch
from collector.ports import Batches, Principal, Registry

STAYS = 1_000


class Bounds:
    """Holds what a principal asks for against the section that it is bound to. Any number of times."""

    def __init__(self, registry: Registry, batches: Batches) -> None:
        self._registry, self._batches = registry, batches

    def narrowed(self, principal: Principal, wanted: str | None) -> str | None:
        """The section that a list, a stream or a new thing is limited to; None = the whole organization.

        Raises:
            ForbiddenError: another section is asked for.
        """
        if principal.section is None:
            return wanted
        if wanted not in (None, principal.section):
            raise _outside(principal)
        return principal.section

    def section(self, principal: Principal, section: str) -> None:
        """Refuse another section than the own one.

        Raises:
            NotFoundError: it is another one.
        """
        if principal.section not in (None, section):
            raise NotFoundError(f"no section {section!r}")

    async def chamber(self, principal: Principal, chamber_id: str) -> None:
        """Refuse a chamber that does not stand in the own section now; one that retired stands where it stood last.

        Raises:
            NotFoundError: there is none of that id there.
            AwayError: the registry cannot be reached.
        """
        if principal.section is not None:
            record = await self._registry.find(principal.organization, chamber_id)
            refuse_elsewhere(principal, record.spec)

    async def batch(self, principal: Principal, batch_id: str) -> None:
        """Refuse a batch of another section.

        Raises:
            NotFoundError: there is none of that id in the own section.
            AwayError: the store cannot be reached.
        """
        if principal.section is not None:
            batch = await self._batches.find(principal.organization, batch_id)
            if batch.section != principal.section:
                raise NotFoundError(f"no batch {batch_id!r}")

    async def batch_chamber(self, principal: Principal, batch_id: str, chamber_id: str | None) -> None:
        """Refuse to tell of a chamber that neither stands in the own section nor stood there during the batch.

        Raises:
            InvalidFieldError: field `chamber`, as for one that is not there.
            AwayError: the store cannot be reached.
        """
        if principal.section is None or chamber_id is None:
            return
        try:
            await self.chamber(principal, chamber_id)
        except NotFoundError:
            if not await self._stayed(principal.organization, batch_id, chamber_id):
                problem = f"there is no chamber {chamber_id[:80]!r}"
                raise InvalidFieldError("chamber", problem, "GET /v1/chambers lists what there is") from None

    async def enrolment(self, principal: Principal, wanted: ChamberSpec) -> None:
        """Refuse to enrol elsewhere than in the own section, or under an id that has a history elsewhere.

        Raises:
            ForbiddenError: another section is asked for.
            InvalidFieldError: field `section`: the own one is closed.
            ConflictError: field `id`: it is taken, without saying where.
            AwayError: the registry cannot be reached.
        """
        if self.narrowed(principal, wanted.section) is None or principal.section is None:
            return
        if not await self._registry.has_section(principal.organization, principal.section):
            problem = f"the section {principal.section} is closed: no chamber can come to it"
            raise InvalidFieldError("section", problem, "open it with PATCH first")
        try:
            there = await self._registry.find(principal.organization, wanted.id)
        except NotFoundError:
            return
        if there.spec.section != principal.section:
            raise _taken(wanted.id)

    async def start(self, principal: Principal, wanted: Batch) -> None:
        """Refuse to begin a batch elsewhere than in the own section, or under an id that another section has.

        Raises:
            ForbiddenError: another section is asked for.
            ConflictError: field `id`: it is taken, without saying where.
            AwayError: the store cannot be reached.
        """
        if self.narrowed(principal, wanted.section) is None or principal.section is None:
            return
        try:
            there = await self._batches.find(principal.organization, wanted.id)
        except NotFoundError:
            return
        if there.section != principal.section:
            raise _taken(wanted.id)

    async def _stayed(self, organization: str, batch_id: str, chamber_id: str) -> bool:
        cursor = None
        while True:
            page = await self._batches.stays(organization, batch_id, STAYS, cursor)
            if any(stay.chamber_id == chamber_id for stay in page.items):
                return True
            cursor = page.next_cursor
            if cursor is None:
                return False


def refuse_elsewhere(principal: Principal, spec: ChamberSpec) -> None:
    """Refuse a chamber that stands elsewhere than in the section that the principal is bound to.

    Raises:
        NotFoundError: as for one that is not there.
    """
    if principal.section not in (None, spec.section):
        raise NotFoundError(f"no chamber {spec.id!r}")


def refuse_moving_out(principal: Principal, wanted: ChamberSpec) -> None:
    """Refuse to move a chamber out of the section that the principal is bound to.

    Raises:
        ForbiddenError: it would stand elsewhere.
    """
    if principal.section not in (None, wanted.section):
        raise _outside(principal)


def _outside(principal: Principal) -> ForbiddenError:
    problem = f"section: this key is bound to section {principal.section}, and reaches no other"
    return ForbiddenError(problem, f"name {principal.section}, or ask an administrator for a key that reaches further")


def _taken(name: str) -> ConflictError:
    return ConflictError(f"the id {name} is taken", "choose another id", "id")
