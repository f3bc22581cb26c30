"""Device profiles: those in files, the versions that are kept, and the one that reads a chamber."""

from collections.abc import Sequence
from typing import Protocol

from collector.domain.chamber import ChamberSpec
from collector.domain.profile_document import ProfileDocument
from collector.mapping.profile import Profile


class ProfileCatalog(Protocol):
    """The profiles that a process has in files, compiled when it starts."""

    def find(self, name: str) -> Profile | None:
        """The profile of that name, or None."""
        ...

    def names(self) -> Sequence[str]:
        """All names, sorted."""
        ...

    def document(self, name: str) -> ProfileDocument | None:
        """The text of the profile that `find` answers, or None."""
        ...

    def of_version(self, name: str, version: str) -> Profile | None:
        """Exactly that version, also of a file that another one replaces; None when no file has it."""
        ...


class SpecProfiles(Protocol):
    """Which profile reads a chamber."""

    async def of(self, spec: ChamberSpec) -> Profile:
        """The version that the spec names, never another one; "" = whichever this process has by that name.

        Raises:
            MisconfiguredError: there is no such version or name, or this release cannot read it.
            ProfileAwayError: it is not at hand, and what keeps it cannot be reached.
        """
        ...


class ProfileLibrary(Protocol):
    """The versions of profiles that an organization's chambers were given, and the profiles of its own that it offers.

    A version that is kept stays, whatever is offered: chambers and readings refer to it.
    """

    async def keep(self, organization: str, document: ProfileDocument) -> None:
        """Keep a version; again: nothing."""
        ...

    async def find(self, organization: str, name: str, version: str) -> ProfileDocument:
        """One version, offered or not.

        Raises:
            NotFoundError: the organization has never kept it.
        """
        ...

    async def versions(self, organization: str, name: str) -> Sequence[ProfileDocument]:
        """Those kept by that name, the newest first, at most `VERSIONS_SHOWN`."""
        ...

    async def offered(self, organization: str) -> Sequence[ProfileDocument]:
        """The organization's own that are offered, by name."""
        ...

    async def own(self, organization: str, name: str) -> ProfileDocument | None:
        """The organization's own by that name that is offered, or None."""
        ...

    async def offer(self, organization: str, document: ProfileDocument, expected: str | None) -> None:
        """Keep the document and offer it by its name from now on; `created_by` says who does. Again: nothing.

        Args:
            organization: whose.
            document: its origin is the organization.
            expected: version that is offered by that name now; None = none is.

        Raises:
            ProfileChangedError: another is offered, or none.
            ConflictError: field `name`: the organization offers as many names as it may.
        """
        ...

    async def withdraw(self, organization: str, name: str) -> ProfileDocument:
        """Offer the organization's own by that name no longer; answers it.

        Raises:
            NotFoundError: it offers none by that name.
        """
        ...
