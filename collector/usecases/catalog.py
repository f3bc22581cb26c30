"""The profiles of an organization: which it can enrol chambers with, and changing its own."""

from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass, field

from collector.domain.errors import ConflictError, InvalidFieldError, ProfileChangedError
from collector.domain.profile_document import ProfileDocument, ProfileOrigin, no_profile, plain_text
from collector.mapping.loading import ProfileError
from collector.mapping.profile import Profile
from collector.ports import Principal, ProfileCatalog, ProfileLibrary
from collector.usecases.profiles import CompiledProfiles
from collector.usecases.versions import Made


@dataclass(frozen=True, slots=True)
class ProfileSummary:
    """A profile as people choose it.

    Attributes:
        document: the version that is meant.
        description: for people.
        source: what it is based on.
        checked: what was checked, and how.
        units: measurement name -> UCUM code.
        problem: why this release cannot read it; empty for all that were made for it.
    """

    document: ProfileDocument
    description: str = ""
    source: str = ""
    checked: str = ""
    units: Mapping[str, str] = field(default_factory=dict)
    problem: str = ""


@dataclass(frozen=True, slots=True)
class ProfileView:
    """One profile.

    Attributes:
        summary: of the version that was asked for, or of the newest one.
        newest: version that chambers get when they are enrolled or changed; None = the name is offered no longer.
        versions: all that the organization keeps, and the newest one, the latest first.
    """

    summary: ProfileSummary
    newest: str | None
    versions: Sequence[ProfileDocument]


class DescribeProfiles:
    """Reads documents for people; each of them once for the life of a process."""

    def __init__(self, files: ProfileCatalog, compiled: CompiledProfiles) -> None:
        self._files, self._compiled = files, compiled

    async def __call__(self, organization: str, document: ProfileDocument) -> ProfileSummary:
        """What a document says, or why it cannot be read."""
        found: Profile | ProfileError | None = self._files.of_version(document.name, document.version)
        found = found or await self._compiled.of(organization, document)
        if isinstance(found, ProfileError):
            return ProfileSummary(document, problem=str(found))
        return ProfileSummary(document, found.description, found.source, found.checked, found.units())


class ListProfiles:
    """The device profiles that an organization can enrol chambers with."""

    def __init__(self, files: ProfileCatalog, library: ProfileLibrary, describe: DescribeProfiles) -> None:
        self._files, self._library, self._describe = files, library, describe

    async def __call__(self, organization: str) -> Sequence[ProfileSummary]:
        """By name; of one name the organization's own, else the directory's.

        Raises:
            AwayError: the library cannot be reached.
        """
        files = (self._files.document(name) for name in self._files.names())
        found = {document.name: document for document in files if document is not None}
        found |= {document.name: document for document in await self._library.offered(organization)}
        return [await self._describe(organization, document) for _, document in sorted(found.items())]


class ShowProfile:
    """One profile with its text and its versions."""

    def __init__(self, files: ProfileCatalog, library: ProfileLibrary, describe: DescribeProfiles) -> None:
        self._files, self._library, self._describe = files, library, describe

    async def __call__(self, organization: str, name: str, version: str | None = None) -> ProfileView:
        """The newest version, or the one that is asked for, offered or not.

        Raises:
            NotFoundError: there is none.
            AwayError: the library cannot be reached.
        """
        newest = await self._library.own(organization, name) or self._files.document(name)
        kept = await self._library.versions(organization, name)
        wanted = newest
        if version is not None and (newest is None or newest.version != version):
            wanted = await self._library.find(organization, name, version)
        if wanted is None:
            raise no_profile(name)
        versions = [*([newest] if newest else []), *(d for d in kept if newest is None or d.version != newest.version)]
        return ProfileView(await self._describe(organization, wanted), newest.version if newest else None, versions)


class PutProfile:
    """Offers a profile of the organization's own. The same text again changes nothing."""

    def __init__(
        self, files: ProfileCatalog, library: ProfileLibrary, show: ShowProfile, compiled: CompiledProfiles
    ) -> None:
        self._files, self._library, self._show, self._compiled = files, library, show, compiled

    async def __call__(
        self, principal: Principal, name: str, text: str, versions: Set[str] | None
    ) -> Made[ProfileView]:
        """Offer it; chambers that have another version keep it until they are configured.

        Args:
            principal: who asks.
            name: that it is put under.
            text: YAML.
            versions: versions that the caller read; None = whatever stands; none at all = that nothing stands.

        Raises:
            InvalidFieldError: the text is no profile; names the key, and the line in the problem.
            ProfileChangedError: another version stands than the caller read, be it a file's.
            ConflictError: the organization offers as many as it may.
            AwayError: the library cannot be reached.
        """
        by = principal.subject
        document = ProfileDocument(name, plain_text(text), ProfileOrigin.ORGANIZATION, created_by=by)
        await self._check(principal.organization, document)
        own = await self._library.own(principal.organization, name)
        stands = own or self._files.document(name)
        if stands is None or stands.version != document.version:
            _refuse_unread(stands, versions)
        await self._library.offer(principal.organization, document, own.version if own else None)
        return Made(await self._show(principal.organization, name), created=own is None)

    async def _check(self, organization: str, document: ProfileDocument) -> None:
        found = await self._compiled.of(organization, document)
        if isinstance(found, ProfileError):
            where = f"line {found.line}: " if found.line else ""
            raise InvalidFieldError(found.key or "document", where + found.problem, found.remedy)
        if found.name != document.name:
            problem = f"it is put as {document.name!r}, and calls itself {found.name!r}"
            raise InvalidFieldError("name", problem, "write the same name in both places")


class RemoveProfile:
    """Offers a profile of the organization's own no longer; its versions stay with the chambers that have them."""

    def __init__(self, files: ProfileCatalog, library: ProfileLibrary, show: ShowProfile) -> None:
        self._files, self._library, self._show = files, library, show

    async def __call__(self, organization: str, name: str) -> ProfileView:
        """Remove it; answers what was offered. A file's profile by that name is offered again.

        Raises:
            NotFoundError: there is no profile by that name.
            ConflictError: it is a file's, which only whoever runs the deployment can remove.
            AwayError: the library cannot be reached.
        """
        if await self._library.own(organization, name) is None and (document := self._files.document(name)):
            kind = "built in" if document.origin is ProfileOrigin.BUILT_IN else "a file of the deployment"
            remedy = "an organization removes its own profiles only; put one of that name to replace it"
            raise ConflictError(f"profile {name!r} is {kind}", remedy, "name")
        removed = await self._library.withdraw(organization, name)
        return await self._show(organization, name, removed.version)


def _refuse_unread(stands: ProfileDocument | None, versions: Set[str] | None) -> None:
    if stands is None and versions:
        raise ProfileChangedError(None)
    if stands is not None and versions is not None and stands.version not in versions:
        raise ProfileChangedError(stands.version)
