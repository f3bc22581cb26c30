"""Messages over a rolling deploy: the former release reads what this one sends, and this one what the former sent."""

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from temporalio.converter import DataConverter

from collector.domain.health import Health
from collector.messages import AdhocRequest, ChamberState, CollectRequest, RoundRequest
from tests.contract.ledger_rooms import spec
from tests.contract.test_schema_compatibility import former, run

__all__ = ["former"]
TRACE = f"00-{'a' * 32}-{'b' * 16}-01"
CHAMBER = spec("c1")
MESSAGES: dict[str, Any] = {
    "ChamberState": ChamberState(CHAMBER, 60_000, health=Health(1), enrolment=TRACE),
    "RoundRequest": RoundRequest(CHAMBER, 60_000, 3, enrolment=TRACE),
    "AdhocRequest": AdhocRequest(CHAMBER, "r1", trace=TRACE),
    "CollectRequest": CollectRequest("r1", force=True, trace=TRACE),
}
READ_AND_SEND = """
import asyncio, json, sys
from temporalio.api.common.v1 import Payload
from temporalio.converter import DataConverter
from collector import messages

async def read_and_send(kind, data):
    payload = Payload(metadata={"encoding": b"json/plain"}, data=data.encode())
    [message] = await DataConverter.default.decode([payload], [getattr(messages, kind)])
    assert type(message).__module__ == "collector.messages"
    [again] = await DataConverter.default.encode([message])
    return again.data.decode()

async def main():
    given = json.loads(sys.argv[1])
    print(json.dumps({kind: await read_and_send(kind, data) for kind, data in given.items()}))

asyncio.run(main())
"""


async def encoded(message: object) -> str:
    """As it travels through Temporal."""
    [payload] = await DataConverter.default.encode([message])
    return payload.data.decode()


async def decoded(text: str, kind: type) -> Any:
    """As the other side reads it."""
    [payload] = await DataConverter.default.encode([json.loads(text)])
    [message] = await DataConverter.default.decode([payload], [kind])
    return message


def by_former(tree: Path, given: dict[str, str]) -> dict[str, str]:
    """What the former release's own code makes of the messages: read, and sent again."""
    command: Sequence[str] = [sys.executable, "-P", "-c", READ_AND_SEND, json.dumps(given)]
    done = run([*command], tree, {"PYTHONPATH": str(tree)})
    assert done.returncode == 0, done.stderr[-3_000:]
    answer: dict[str, str] = json.loads(done.stdout)
    return answer


@pytest.mark.timeout(120)
async def test_the_former_release_reads_what_this_one_sends_and_the_other_way_round(former: Path) -> None:
    sent = {kind: await encoded(message) for kind, message in MESSAGES.items()}
    assert all(TRACE in text for text in sent.values())
    back = by_former(former, sent)
    assert not any(TRACE in text for text in back.values()), "it knows nothing of traces, and says nothing of them"
    for kind, text in back.items():
        message = await decoded(text, type(MESSAGES[kind]))
        traced = getattr(message, "enrolment", getattr(message, "trace", None))
        assert traced == "", kind
        if kind == "RoundRequest":
            assert (message.spec.id, message.first_ms, message.count) == ("c1", 60_000, 3)
