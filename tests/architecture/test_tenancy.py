"""Nothing that serves the API can be asked without saying whose it is: each method of its ports is told."""

import inspect
from collections.abc import Iterator
from typing import Protocol, get_type_hints

import pytest

from collector.domain.chamber import ChamberSpec
from collector.domain.organization import Batch, Organization, Section
from collector.ports import (
    AnswerShelf,
    Batches,
    LatestCache,
    LedgerReader,
    Organizations,
    ProfileLibrary,
    Registry,
    Sections,
)
from collector.ports.users import Invitation, InvitationStore, ResetStore, SessionStore, User, UserStore

SERVING = (
    *(Registry, LedgerReader, Organizations, Sections, Batches, LatestCache, ProfileLibrary, AnswerShelf),
    *(UserStore, InvitationStore, ResetStore, SessionStore),
)
CARRIERS = (ChamberSpec, Section, Batch, Organization, User, Invitation)
"""What says by itself whose it is."""
WITHOUT = {
    "Organizations.page": "for whoever runs the deployment: the API asks for the key's right first",
    "UserStore.password_of": "whoever signs in names nothing but an address; no answer shows what it finds",
    "UserStore.own_password": "about whoever asks, by the user of their own session",
    "UserStore.set_password": "about whoever asks, who has shown the present password",
    "UserStore.strengthen": "about whoever signs in, who has shown the password",
    "InvitationStore.of_token": "whoever has the secret is meant",
    "ResetStore.issue": "the use case finds the user in the organization first",
    "ResetStore.offer": "sent to the user's own address, and to nobody else",
    "ResetStore.of_token": "whoever has the secret is meant",
    "ResetStore.use": "whoever has the secret is meant",
    "SessionStore.begin": "about whoever signs in, who has shown the password",
    "SessionStore.find": "whoever has the secret is meant; the answer says whose it is",
    "SessionStore.rotate": "whoever has the secret is meant",
    "SessionStore.role_of": "says of a session that was shown before whether, and as what, it goes on",
    "SessionStore.end": "about whoever asks, by their own session",
    "SessionStore.end_all": "the use case finds the user in the organization first, or it is whoever asks",
}
"""Methods that are told nothing, each with its reason."""


def untold(port: type) -> Iterator[str]:
    """Methods of a port that could answer with another organization's things."""
    for name, method in inspect.getmembers(port, inspect.isfunction):
        if name.startswith("_"):
            continue
        told = {key: hint for key, hint in get_type_hints(method).items() if key != "return"}
        named = told.get("organization") is str
        if not named and not any(hint in CARRIERS for hint in told.values()):
            yield f"{port.__name__}.{name}"


def test_every_method_is_told_whose_things_it_is_about() -> None:
    found = [name for port in SERVING for name in untold(port)]
    assert sorted(found) == sorted(WITHOUT)


@pytest.mark.parametrize("port", SERVING)
def test_the_rule_looks_at_methods(port: type) -> None:
    assert len([n for n, _ in inspect.getmembers(port, inspect.isfunction) if not n.startswith("_")]) >= 1


def test_a_planted_method_is_found() -> None:
    class Planted(Registry, Protocol):
        async def find_anywhere(self, chamber_id: str) -> ChamberSpec:
            """Answers with whoever's chamber it is: what comes back says nothing of who asked."""
            ...

        async def find_mine(self, organization: int, chamber_id: str) -> None:
            """An organization is a text."""
            ...

    assert sorted(untold(Planted)) == ["Planted.find_anywhere", "Planted.find_mine"]
