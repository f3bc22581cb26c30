"""The parts of an organization where chambers stand."""

from collections.abc import Callable, Set

from collector.domain.errors import InvalidFieldError
from collector.domain.organization import Section, check_section
from collector.ports import Page, SectionRecord, Sections
from collector.usecases.versions import Made, altered, as_it_stands, refuse_other


class ListSections:
    """The sections of an organization."""

    def __init__(self, sections: Sections) -> None:
        self._sections = sections

    async def __call__(
        self, organization: str, *, limit: int, cursor: str | None, only: str | None
    ) -> Page[SectionRecord]:
        """One page by id, closed ones too; `only` = that section alone, None = all of them.

        Raises:
            InvalidFieldError: field `cursor`.
            AwayError: the registry cannot be reached.
        """
        if only is not None:
            if cursor is not None:
                remedy = "leave it out: the list is one page"
                raise InvalidFieldError("cursor", "it is not a cursor of this list", remedy)
            return Page([await self._sections.find(organization, only)])
        return await self._sections.page(organization, limit, cursor)


class ShowSection:
    """One section."""

    def __init__(self, sections: Sections) -> None:
        self._sections = sections

    async def __call__(self, organization: str, section: str) -> SectionRecord:
        """The section.

        Raises:
            NotFoundError: not there, or another organization's.
            AwayError: the registry cannot be reached.
        """
        return await self._sections.find(organization, section)


class AddSection:
    """Makes a section. A second run with the same fields changes nothing, and opens none that was closed."""

    def __init__(self, sections: Sections) -> None:
        self._sections = sections

    async def __call__(self, wanted: Section, given: Set[str]) -> Made[SectionRecord]:
        """Make it; `given` names the fields that must agree if it is there already.

        Raises:
            InvalidFieldError: a field cannot be kept.
            ConflictError: the id is there, and another.
            AwayError: the registry cannot be reached.
        """
        check_section(wanted)
        there, created = await self._sections.add(wanted)
        if not created:
            refuse_other(f"section {wanted.id}", there.section, wanted, given)
        return Made(there, created)


class ChangeSection:
    """Writes a changed section as the next version; when nothing differs, nothing."""

    def __init__(self, sections: Sections) -> None:
        self._sections = sections

    async def __call__(
        self, organization: str, section: str, versions: Set[int] | None, alter: Callable[[Section], Section]
    ) -> SectionRecord:
        """Change it; `versions` are those that the caller read, None = whatever stands.

        Raises:
            NotFoundError: not there, or another organization's.
            StaleVersionError: it has a version that the caller did not read.
            InvalidFieldError: a field cannot be kept.
            ConflictError: field `active`: it was to be closed, and chambers stand there.
            AwayError: the registry cannot be reached.
        """

        async def change() -> SectionRecord:
            before = await self._sections.find(organization, section)
            wanted = altered(before.section, versions, alter)
            if wanted is None:
                return before
            check_section(wanted)
            return await self._sections.change(wanted, before.section.version)

        return await as_it_stands(versions, change)
