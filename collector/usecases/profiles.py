"""Which version of which profile reads a chamber: pinned by whoever enrols it, found by whoever reads it."""

import asyncio
from dataclasses import replace

from collector.domain.chamber import ChamberSpec
from collector.domain.errors import (
    AwayError,
    InvalidFieldError,
    MisconfiguredError,
    NotFoundError,
    ProfileAwayError,
)
from collector.domain.profile_document import ProfileDocument, unknown_profile
from collector.mapping.loading import ProfileError, load_profile
from collector.mapping.profile import Profile
from collector.mapping.request import url_problem
from collector.mapping.request_rules import EMPTY_REMEDY
from collector.ports import ProfileCatalog, ProfileLibrary

LOOK_UP_S = 5.0
"""A library that takes longer is away: the slot has better use for its time, and is tried again."""
COMPILED_LIMIT = 2_000
"""Versions that a process holds compiled; beyond, the one that was compiled first is read again when it is needed."""

Key = tuple[str, str, str]
"""Organization, name and version: a version of 12 digits tells one organization's texts apart, not everybody's."""


class CompiledProfiles:
    """Versions from the library, each compiled once for the life of a process: a version never changes.

    What cannot be compiled is remembered as well.
    """

    def __init__(self) -> None:
        self._compiled: dict[Key, Profile | ProfileError] = {}

    def get(self, key: Key) -> Profile | ProfileError | None:
        """What was compiled before."""
        return self._compiled.get(key)

    async def of(self, organization: str, document: ProfileDocument) -> Profile | ProfileError:
        """The profile, or why this release cannot read it. The event loop goes on meanwhile."""
        key = (organization, document.name, document.version)
        if key not in self._compiled:
            found = await asyncio.to_thread(_compiled, document)
            while len(self._compiled) >= COMPILED_LIMIT:
                del self._compiled[next(iter(self._compiled))]
            self._compiled[key] = found
        return self._compiled[key]


class PinnedProfiles:
    """`SpecProfiles` over the files of a process and the library. A version that is at hand needs no server."""

    def __init__(self, files: ProfileCatalog, library: ProfileLibrary) -> None:
        self._files, self._library = files, library
        self._compiled = CompiledProfiles()
        self._asked: dict[Key, asyncio.Task[Profile | ProfileError]] = {}

    async def of(self, spec: ChamberSpec) -> Profile:
        """The version that the spec names; see `SpecProfiles.of`."""
        if not spec.profile_version:
            found: Profile | ProfileError | None = self._files.find(spec.profile)
        else:
            key = (spec.organization, spec.profile, spec.profile_version)
            found = self._files.of_version(*key[1:]) or self._compiled.get(key) or await self._asked_for(spec, key)
        if found is None:
            raise unknown_profile(spec, ", ".join(self._files.names()))
        if isinstance(found, ProfileError):
            raise MisconfiguredError(
                f"profile: this worker's release cannot read version {spec.profile_version}: {found}"
            )
        return found

    async def _asked_for(self, spec: ChamberSpec, key: Key) -> Profile | ProfileError:
        """Ask the library once for all chambers that wait for the same version."""
        task = self._asked.get(key)
        if task is None:
            task = self._asked[key] = asyncio.create_task(self._look_up(key))
            task.add_done_callback(lambda done: self._answered(key, done))
        what = f"profile: version {spec.profile_version} of {spec.profile!r} is not at hand"
        try:
            return await asyncio.wait_for(asyncio.shield(task), min(LOOK_UP_S, spec.timeout_ms / 1000))
        except TimeoutError:
            raise ProfileAwayError(f"{what}, and PostgreSQL is too slow; the device was not asked") from None
        except AwayError as away:
            raise ProfileAwayError(f"{what}, and {away}; the device was not asked") from None
        except NotFoundError:
            raise unknown_profile(spec, "") from None

    async def _look_up(self, key: Key) -> Profile | ProfileError:
        return await self._compiled.of(key[0], await self._library.find(*key))

    def _answered(self, key: Key, done: "asyncio.Task[Profile | ProfileError]") -> None:
        del self._asked[key]
        if not done.cancelled():
            done.exception()  # looked at, though everybody may have given up waiting


class OfferedProfiles:
    """What an organization can enrol chambers with: its own profiles, else the directory's, else the built-in ones."""

    def __init__(self, files: ProfileCatalog, library: ProfileLibrary) -> None:
        self._files, self._library = files, library
        self._compiled = CompiledProfiles()

    async def find(self, organization: str, name: str) -> ProfileDocument | None:
        """The newest version by that name, or None.

        Raises:
            AwayError: the library cannot be reached.
        """
        return await self._library.own(organization, name) or self._files.document(name)

    async def names(self, organization: str) -> list[str]:
        """All names, sorted."""
        own = [document.name for document in await self._library.offered(organization)]
        return sorted({*own, *self._files.names()})

    async def pinned(self, spec: ChamberSpec, before: ChamberSpec | None = None) -> ChamberSpec:
        """The spec with the newest version of its profile, which is kept from now on.

        A profile that is offered no longer stays with the chambers that have it: `before` is the spec that stands.

        Raises:
            InvalidFieldError: field `profile`, the remedy lists what there is; field `url`, when it could write.
            AwayError: the library cannot be reached.
        """
        document = await self._document(spec, before)
        await self._refuse_writing(spec, document)
        return replace(spec, profile_version=document.version)

    async def _document(self, spec: ChamberSpec, before: ChamberSpec | None) -> ProfileDocument:
        document = await self.find(spec.organization, spec.profile)
        if document is None:
            if before is not None and before.profile == spec.profile and before.profile_version:
                return await self._library.find(spec.organization, spec.profile, before.profile_version)
            known = ", ".join(await self.names(spec.organization))
            raise InvalidFieldError("profile", f"there is no profile {spec.profile[:80]!r}", f"use one of: {known}")
        await self._library.keep(spec.organization, document)
        return document

    async def _refuse_writing(self, spec: ChamberSpec, document: ProfileDocument) -> None:
        profile = self._files.of_version(document.name, document.version)
        found = profile or await self._compiled.of(spec.organization, document)
        if isinstance(found, ProfileError):
            remedy = "put it again as this release reads it"
            raise InvalidFieldError("profile", f"this release cannot read version {document.version}: {found}", remedy)
        if problem := url_problem(found, spec.url):
            raise InvalidFieldError("url", problem, EMPTY_REMEDY)


def _compiled(document: ProfileDocument) -> Profile | ProfileError:
    try:
        return load_profile(document.text, document.name)
    except ProfileError as error:
        return error
