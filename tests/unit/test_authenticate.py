"""Keys: valid, unknown, revoked, and what happens while they cannot be looked up."""

import hashlib
from dataclasses import replace

import pytest

from adapters.memory import InMemoryKeys, InMemoryLedger
from collector.domain.errors import AwayError
from collector.domain.roles import Role
from collector.ports import KeyTerms, Principal
from collector.usecases.authenticate import NOTED_MS, Authenticate
from collector.usecases.trust import TRUST_MS, TRUSTED_LIMIT
from tests.unit.api_world import KEYS, SUBJECT, StandingClock, World

KEY = KEYS["default"]


class Gate:
    """A use case over the twin, with its levers."""

    def __init__(self) -> None:
        self.clock, self.world = StandingClock(), World()
        self.ledger: InMemoryLedger = self.world.ledger
        self.keys = InMemoryKeys(self.ledger)
        self.authenticate = Authenticate(self.keys, self.clock)


async def test_a_valid_key_says_whose_it_is() -> None:
    assert await Gate().authenticate(KEY) == Principal("default", SUBJECT, Role.ADMINISTRATOR, credential=SUBJECT)


@pytest.mark.parametrize(
    "key",
    [
        "",
        "chl_",
        KEY[:-1],
        KEY + "A",
        KEY + "\n",
        KEY.upper(),
        KEY.replace("chl_", "key_"),
        KEY[:-1] + "B",
        KEY.replace("0a_", "0c_"),
        KEY.replace("0a_", "0b_"),
        "chl_" + "\u0660" * 12 + KEY[16:],
    ],
)
async def test_any_other_key_is_nobodys(key: str) -> None:
    assert await Gate().authenticate(key) is None


async def test_a_revoked_key_is_nobodys_at_once() -> None:
    gate = Gate()
    assert await gate.authenticate(KEY)
    await gate.keys.revoke(KEY.split("_")[1])
    assert await gate.authenticate(KEY) is None
    gate.ledger.away = True
    with pytest.raises(AwayError):
        await gate.authenticate(KEY)


async def test_a_key_that_expires_is_nobodys_from_then_on() -> None:
    gate = Gate()
    kept = gate.ledger.keys[KEY.split("_")[1]]
    kept.record = replace(kept.record, terms=KeyTerms(expires_ms=gate.world.clock.wall_ms + 1))
    assert await gate.authenticate(KEY)
    gate.world.clock.wall_ms += 1
    assert await gate.authenticate(KEY) is None
    gate.ledger.away = True
    with pytest.raises(AwayError):
        await gate.authenticate(KEY)


async def test_use_is_written_down_once_a_minute_and_for_the_right_secret_alone() -> None:
    gate = Gate()
    noted = CountingKeys(gate.ledger)
    authenticate = Authenticate(noted, gate.clock)
    await authenticate(KEY[:-1] + "B")
    assert noted.noted == []
    for _ in range(3):
        await authenticate(KEY)
        gate.clock.steady_ms += NOTED_MS // 2
    assert noted.noted == [KEY.split("_")[1]] * 2


async def test_a_key_whose_use_cannot_be_written_down_is_good_all_the_same() -> None:
    gate = Gate()
    keys = CountingKeys(gate.ledger, refuses=True)
    assert await Authenticate(keys, gate.clock)(KEY)
    assert len(keys.noted) == 1


class CountingKeys(InMemoryKeys):
    """Remembers what it was told to note; may refuse, as a database that can only be read does."""

    def __init__(self, ledger: InMemoryLedger, *, refuses: bool = False) -> None:
        super().__init__(ledger)
        self.noted, self._refuses = list[str](), refuses

    async def note_use(self, key_id: str) -> None:
        self.noted.append(key_id)
        if self._refuses:
            raise AwayError("PostgreSQL only reads")


async def test_while_the_store_is_away_a_key_seen_valid_is_trusted_for_five_seconds() -> None:
    gate = Gate()
    await gate.authenticate(KEY)
    gate.ledger.away = True
    gate.clock.steady_ms += TRUST_MS
    assert await gate.authenticate(KEY) == Principal("default", SUBJECT, Role.ADMINISTRATOR, credential=SUBJECT)
    gate.clock.steady_ms += 1
    with pytest.raises(AwayError):
        await gate.authenticate(KEY)


async def test_while_the_store_is_away_trust_is_not_renewed_and_not_for_another_secret() -> None:
    gate = Gate()
    await gate.authenticate(KEY)
    gate.ledger.away = True
    with pytest.raises(AwayError):
        await gate.authenticate(KEY[:-1] + "B")
    for _ in range(3):
        gate.clock.steady_ms += TRUST_MS // 3
        assert await gate.authenticate(KEY)
    gate.clock.steady_ms += TRUST_MS // 3
    with pytest.raises(AwayError):
        await gate.authenticate(KEY)


async def test_a_key_never_seen_cannot_be_looked_up_while_the_store_is_away() -> None:
    gate = Gate()
    gate.ledger.away = True
    with pytest.raises(AwayError):
        await gate.authenticate(KEY)
    assert await gate.authenticate("chl_nonsense") is None  # no store is needed to know this


async def test_the_store_being_away_is_503_and_never_401() -> None:
    world = World()
    async with world.client() as client:
        world.ledger.away = True
        answer = await client.get("/v1/profiles")
        assert answer.status_code == 503
        assert answer.headers["retry-after"].isdigit()
        world.ledger.away = False
        assert (await client.get("/v1/profiles")).status_code == 200
        world.ledger.away = True
        assert (await client.get("/v1/nothing")).status_code == 404  # seen valid a moment ago; no store is needed
        assert (await client.get("/v1/chambers")).status_code == 503


async def test_the_memory_of_seen_keys_is_bounded() -> None:
    gate = Gate()
    secret = "S" * 43
    digest = hashlib.sha256(secret.encode()).digest()
    for number in range(TRUSTED_LIMIT + 1):
        gate.ledger.add_key(f"{number:012x}", digest, "default")
        assert await gate.authenticate(f"chl_{number:012x}_{secret}")
    gate.ledger.away = True
    assert await gate.authenticate(f"chl_{TRUSTED_LIMIT:012x}_{secret}")
    with pytest.raises(AwayError):
        await gate.authenticate(f"chl_{0:012x}_{secret}")
