"""The worker's parts on a real port."""

import socket

import pytest
from pydantic import SecretStr

from collector.domain.errors import InvalidFieldError
from workers.bootstrap import parts_of
from workers.settings import WorkerSettings


async def test_a_taken_port_of_the_metrics_is_a_wrong_setting_not_a_fault() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        settings = WorkerSettings(postgres=SecretStr("postgresql://nobody@127.0.0.1:1/none"), metrics_port=port)
        with pytest.raises(InvalidFieldError, match="choose another, or stop") as caught:
            async with parts_of(settings):
                pytest.fail("it started")
    assert caught.value.field == "CHAMBERLOG_METRICS_PORT"
