"""Facts of the Web UI and of its texts, on the real server; docs/adr/0042-the-operators-desk.md builds on them."""

import httpx
import pytest
import pytest_asyncio
from temporalio.client import Client

from stack.server import Server
from tests.contract.fact_rooms import WithMemo, eventually, working

pytestmark = pytest.mark.timeout(120)
LIST_BYTES = 200


@pytest_asyncio.fixture
async def client(server: Server) -> Client:
    return await Client.connect(server.address)


async def test_summary_and_details_of_a_start_are_gone_with_the_run_that_was_started(client: Client) -> None:
    """So a chamber's page is its current details: those every run writes anew."""
    async with working(client, "words"):
        await client.start_workflow(
            WithMemo.run, 1, id="words", task_queue="words", static_summary="one line", static_details="a page"
        )
        latest = client.get_workflow_handle("words")
        first = await latest.describe()
        assert (await first.static_summary(), await first.static_details()) == ("one line", "a page")
        await latest.signal(WithMemo.go)

        async def continued() -> bool:
            return (await latest.describe()).run_id != first.run_id

        await eventually(continued)
        second = await latest.describe()
        assert (await second.static_summary(), await second.static_details()) == (None, None)
        await latest.terminate()


async def test_under_a_public_path_the_web_ui_serves_its_markdown_at_another_place_than_it_asks_for(
    server: Server,
) -> None:
    """When this fails the Web UI has been corrected: the route `/temporal/render` of the gateway is to go."""
    async with httpx.AsyncClient(trust_env=False, timeout=10) as browser:
        asked = await browser.get(f"{server.ui_address}/render", params={"content": "**bold**"})
        served = await browser.get(f"{server.ui_address}/temporal/render", params={"content": "**bold**"})
    assert "<strong>bold</strong>" not in asked.text
    assert "<strong>bold</strong>" in served.text
    assert served.headers["content-security-policy"].startswith("base-uri 'self'; default-src 'none'")
