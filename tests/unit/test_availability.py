"""What is known of the store: asked for by one probe, and told to the log once."""

import logging

import pytest

from adapters.postgres.availability import Availability


async def answers() -> None:
    pass


async def test_a_loss_is_one_line_and_so_is_its_end(caplog: pytest.LogCaptureFixture) -> None:
    """A server that answers the probe and refuses all else comes and goes: nothing is stored, nothing more is said."""
    caplog.set_level(logging.INFO)
    store = Availability(answers)
    store.worked()
    for why in ("connection refused", "the disk is full", "the disk is full"):
        store.lost(why)
        await store.wait()
    store.worked()
    store.worked()
    assert [(record.levelname, record.getMessage()) for record in caplog.records] == [
        ("WARNING", "outcomes cannot be stored and wait: connection refused"),
        ("INFO", "outcomes are stored again"),
    ]
    await store.close()
