"""Which role each operation takes: the one table that the API, the gateway and the gRPC service go by.

What stands in no row is shut: tests/unit/test_access_table.py holds the table against every route and every gRPC
method that there is.
"""

import re
from collections.abc import Iterator
from functools import lru_cache

from collector.domain.access import Operation, Reach, Scope, Traffic
from collector.domain.roles import Role

PACKAGE = "chamberlog.v1"
WRITES, NONE, ANY = "!", "-", "*"
"""`!` before a name: it changes something. `-`: none. `*` as method: every one; as end of a path: all below it."""

REMEMBERED_LENGTH = 256
"""Characters. Whoever asks chooses the path, before anybody knows who it is: long ones would fill the memory."""

TABLE = """
chambers.list              viewer              chambers       read     narrowed  GET    /v1/chambers                                         Chambers/ListChambers
chambers.fleet             viewer              chambers       read     narrowed  GET    /v1/fleet                                            -
chambers.show              viewer              chambers       read     chamber   GET    /v1/chambers/{chamber_id}                            Chambers/GetChamber
chambers.answers           operator            chambers       read     chamber   GET    /v1/chambers/{chamber_id}/answers                    -
!chambers.pause            operator            chambers       write    chamber   POST   /v1/chambers/{chamber_id}/pause                      Chambers/PauseChamber
!chambers.resume           operator            chambers       write    chamber   POST   /v1/chambers/{chamber_id}/resume                     Chambers/ResumeChamber
!chambers.collect          operator            chambers       write    chamber   POST   /v1/chambers/{chamber_id}/collect                    Chambers/CollectReading
!chambers.enrol            administrator       chambers       write    narrowed  POST   /v1/chambers                                         Chambers/EnrolChamber
!chambers.change           administrator       chambers       write    chamber   PATCH  /v1/chambers/{chamber_id}                            Chambers/UpdateChamber
!chambers.retire           administrator       chambers       write    chamber   DELETE /v1/chambers/{chamber_id}                            Chambers/RetireChamber

detectors.list             viewer              chambers       read     chamber   GET    /v1/chambers/{chamber_id}/detectors                  Detectors/ListDetectors
!detectors.change          administrator       chambers       write    chamber   PATCH  /v1/chambers/{chamber_id}/detectors/{detector}       Detectors/UpdateDetector

readings.list              viewer              readings       read     chamber   GET    /v1/chambers/{chamber_id}/readings                   Readings/ListReadings
readings.latest            viewer              readings       read     chamber   GET    /v1/chambers/{chamber_id}/latest                     Readings/GetLatest
readings.gaps              viewer              readings       read     chamber   GET    /v1/chambers/{chamber_id}/gaps                       Readings/ListGaps
readings.audit_chamber     viewer              readings       read     chamber   GET    /v1/chambers/{chamber_id}/audit                      Readings/AuditChamber
readings.audit             viewer              readings       read     shut      GET    /v1/audit                                            Readings/AuditFleet
readings.latest_all        viewer              readings       read     narrowed  GET    /v1/latest                                           Readings/ListLatest
readings.watch             viewer              readings       stream   narrowed  GET    /v1/live                                             Readings/WatchReadings

sections.list              viewer              sections       read     narrowed  GET    /v1/sections                                         Sections/ListSections
sections.show              viewer              sections       read     section   GET    /v1/sections/{section_id}                            Sections/GetSection
sections.operation         viewer              sections       read     section   GET    /v1/sections/{section_id}/operations/{operation_id}  Sections/GetOperation
!sections.pause            operator            sections       write    section   POST   /v1/sections/{section_id}/pause                      Sections/PauseSection
!sections.resume           operator            sections       write    section   POST   /v1/sections/{section_id}/resume                     Sections/ResumeSection
!sections.add              administrator       sections       write    shut      POST   /v1/sections                                         Sections/CreateSection
!sections.change           administrator       sections       write    section   PATCH  /v1/sections/{section_id}                            Sections/UpdateSection

batches.list               viewer              batches        read     narrowed  GET    /v1/batches                                          Batches/ListBatches
batches.show               viewer              batches        read     batch     GET    /v1/batches/{batch_id}                               Batches/GetBatch
batches.chambers           viewer              batches        read     batch     GET    /v1/batches/{batch_id}/chambers                      Batches/ListBatchChambers
batches.readings           viewer              batches        read     batch     GET    /v1/batches/{batch_id}/readings                      Batches/ListBatchReadings
!batches.start             operator            batches        write    narrowed  POST   /v1/batches                                          Batches/StartBatch
!batches.change            operator            batches        write    batch     PATCH  /v1/batches/{batch_id}                               Batches/UpdateBatch
!batches.end               operator            batches        write    batch     POST   /v1/batches/{batch_id}/end                           Batches/EndBatch

profiles.list              viewer              profiles       read     open      GET    /v1/profiles                                         -
profiles.show              viewer              profiles       read     open      GET    /v1/profiles/{profile_name}                          -
!profiles.put              administrator       profiles       write    shut      PUT    /v1/profiles/{profile_name}                          -
!profiles.remove           administrator       profiles       write    shut      DELETE /v1/profiles/{profile_name}                          -

organizations.list         viewer              organizations  read     open      GET    /v1/organizations                                    Organizations/ListOrganizations
organizations.show         viewer              organizations  read     open      GET    /v1/organizations/{organization_id}                  Organizations/GetOrganization
!organizations.change      administrator       organizations  write    shut      PATCH  /v1/organizations/{organization_id}                  Organizations/UpdateOrganization
!organizations.add         super-administrator organizations  write    shut      POST   /v1/organizations                                    Organizations/CreateOrganization

!auth.sign_in              -                   -              sign-in  open      POST   /v1/auth/sign-in                                     Users/SignIn
!auth.refresh              -                   -              sign-in  open      POST   /v1/auth/refresh                                     Users/RefreshSession
!auth.accept_invitation    -                   -              sign-in  open      POST   /v1/auth/accept-invitation                           Users/AcceptInvitation
!auth.forgotten_password   -                   -              sign-in  open      POST   /v1/auth/forgotten-password                          Users/RequestPasswordReset
!auth.reset_password       -                   -              sign-in  open      POST   /v1/auth/reset-password                              Users/ResetPassword
!auth.change_password      viewer              -              sign-in  open      POST   /v1/auth/change-password                             Users/ChangePassword
!auth.sign_out             viewer              -              write    open      POST   /v1/auth/sign-out                                    Users/SignOut
!auth.sign_out_everywhere  viewer              -              write    open      POST   /v1/auth/sign-out-everywhere                         Users/SignOutEverywhere
auth.whoami                viewer              -              read     open      GET    /v1/auth/whoami                                      Users/WhoAmI

users.list                 administrator       users          read     shut      GET    /v1/users                                            Users/ListUsers
users.show                 administrator       users          read     shut      GET    /v1/users/{user_id}                                  Users/GetUser
!users.add                 administrator       users          write    shut      POST   /v1/users                                            Users/CreateUser
!users.change              administrator       users          write    shut      PATCH  /v1/users/{user_id}                                  Users/UpdateUser
!users.sign_out            administrator       users          write    shut      POST   /v1/users/{user_id}/sign-out                         Users/SignOutUser
!users.reset_password      administrator       users          write    shut      POST   /v1/users/{user_id}/password-reset                   Users/IssuePasswordReset
invitations.list           administrator       users          read     shut      GET    /v1/invitations                                      Users/ListInvitations
!invitations.add           administrator       users          write    shut      POST   /v1/invitations                                      Users/InviteUser
!invitations.revoke        administrator       users          write    shut      DELETE /v1/invitations/{invitation_id}                      Users/RevokeInvitation

keys.list                  administrator       keys           read     shut      GET    /v1/keys                                             -
keys.show                  administrator       keys           read     shut      GET    /v1/keys/{key_id}                                    -
!keys.add                  administrator       keys           write    shut      POST   /v1/keys                                             -
!keys.revoke               administrator       keys           write    shut      DELETE /v1/keys/{key_id}                                    -
events.list                administrator       events         read     shut      GET    /v1/events                                           -

health.live                -                   -              read     open      GET    /healthz                                             -
health.ready               -                   -              read     open      GET    /readyz                                              -
health.grpc                -                   -              read     open      -      -                                                    /grpc.health.v1.Health/Check
health.grpc_watch          -                   -              stream   open      -      -                                                    /grpc.health.v1.Health/Watch
docs.page                  -                   -              read     open      GET    /docs                                                -
docs.openapi               -                   -              read     open      GET    /openapi.json                                        -
docs.assets                -                   -              read     open      GET    /static-offline-docs/*                               -
docs.reflection            viewer              -              stream   open      -      -                                                    /grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo
monitoring.metrics         super-administrator monitoring     read     shut      GET    /metrics                                             -
monitoring.temporal        super-administrator monitoring     read     shut      *      /temporal/*                                          -
"""  # noqa: E501  # a table whose rows are broken is none


def operations() -> tuple[Operation, ...]:
    """Every row, in order."""
    return _ROWS


def of_http(method: str, path: str) -> Operation | None:
    """The operation behind a path without its query; None when no row has the path by that method."""
    find = _remembered if len(method) + len(path) <= REMEMBERED_LENGTH else _of_http
    return find(method.upper(), path)


def of_grpc(full_name: str) -> Operation | None:
    """The operation behind `/package.Service/Method`; None when no row has it."""
    return _BY_GRPC.get(full_name)


def _of_http(method: str, path: str) -> Operation | None:
    return next((row for row, wanted, path_of in _PATHS if wanted in (method, ANY) and path_of.fullmatch(path)), None)


_remembered = lru_cache(4_096)(_of_http)


def _read(line: str) -> Operation:
    name, role, scope, traffic, reach, method, path, grpc = line.split()
    return Operation(
        name=name.removeprefix(WRITES),
        writes=name.startswith(WRITES),
        role=None if role == NONE else Role(role),
        scope=None if scope == NONE else Scope(scope),
        traffic=Traffic(traffic),
        reach=Reach(reach),
        http=None if path == NONE else (method, path),
        grpc=None if grpc == NONE else grpc if grpc.startswith("/") else f"/{PACKAGE}.{grpc}",
    )


def _paths() -> Iterator[tuple[Operation, str, re.Pattern[str]]]:
    for row in _ROWS:
        if row.http is not None:
            method, template = row.http
            yield row, method, _pattern(template)


def _pattern(template: str) -> re.Pattern[str]:
    """`{name}` is one segment; `/*` at the end is the path itself and all below it."""
    exact = re.sub(r"\{\w+\}", "[^/]+", template.removesuffix("/*"))
    return re.compile(exact + "(/.*)?" if template.endswith("/*") else exact, re.DOTALL)


_ROWS = tuple(_read(line) for line in TABLE.splitlines() if line)
_BY_GRPC = {row.grpc: row for row in _ROWS if row.grpc is not None}
_PATHS = tuple(_paths())
