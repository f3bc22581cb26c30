"""What would become of a request to a URL: what its host resolves to, what the policy says, what the proxy does."""

import asyncio

from adapters.http_device.addresses import Resolver, SystemResolver
from adapters.http_device.attempt import Attempt, Stage
from adapters.http_device.literals import literal_of
from adapters.http_device.request import WrittenRequest, write_request
from adapters.http_device.tunnel import Tunnels
from collector.domain.egress import EgressPolicies
from collector.domain.egress_proxy import EgressProxy
from collector.domain.egress_verdict import EgressCheck, ProxyVerdict, judge
from collector.domain.errors import BlockedError, EgressAwayError

BUDGET_MS = 10_000


class EgressChecker:
    """Asks what a worker would ask, and opens a connection only where there is a proxy to be asked.

    Args:
        policies: of the workers.
        proxy: of the workers; None = they go straight.
        resolver: the system's when None.
        budget_ms: for the look-up, and again for the proxy.
    """

    def __init__(
        self,
        policies: EgressPolicies,
        proxy: EgressProxy | None,
        resolver: Resolver | None = None,
        budget_ms: int = BUDGET_MS,
    ) -> None:
        self._policies, self._proxy, self._resolver = policies, proxy, resolver or SystemResolver()
        self._budget_ms = budget_ms

    async def check(self, url: str, section: str) -> EgressCheck:
        """Look at a chamber's URL for a section, `organization/section`; nothing is sent to a device.

        Raises:
            MisconfiguredError: the URL cannot be requested.
            BlockedError: its host is an address in a form that hides it.
        """
        sent = write_request(url, ())
        try:
            addresses = await self._addresses(sent)
        except (OSError, TimeoutError) as error:
            problem = getattr(error, "strerror", None) or "the resolver does not answer"
            return EgressCheck(sent.host, sent.port, (), f"dns: {sent.host}: {problem}", None)
        policy = self._policies.of_named(section)
        verdicts = tuple(judge(policy, address, sent.port) for address in dict.fromkeys(addresses))
        allowed = next((verdict.address for verdict in verdicts if verdict.allowed), None)
        proxy = None if self._proxy is None or allowed is None else await self._ask(self._proxy, sent, allowed, section)
        return EgressCheck(sent.host, sent.port, verdicts, None, proxy)

    def close(self) -> None:
        """Let go of the resolver."""
        self._resolver.close()

    async def _addresses(self, sent: WrittenRequest) -> tuple[str, ...]:
        literal = literal_of(sent.host)
        if literal is not None:
            return (literal,)
        async with asyncio.timeout(self._budget_ms / 1000):
            return tuple(await self._resolver.resolve(sent.host, sent.port))

    async def _ask(self, proxy: EgressProxy, sent: WrittenRequest, address: str, section: str) -> ProxyVerdict:
        deadline = asyncio.get_running_loop().time() + self._budget_ms / 1000
        attempt = Attempt(sent.host, sent.port, self._budget_ms, deadline, section=section)
        try:
            async with asyncio.timeout_at(deadline):
                wire = await Tunnels(proxy, self._resolver).open(address, attempt)
        except BlockedError as error:
            return ProxyVerdict("blocked", error.detail)
        except EgressAwayError as error:
            return ProxyVerdict("away", error.detail)
        except OSError as error:
            if attempt.stage is Stage.PROXY:
                return ProxyVerdict("away", f"{proxy} did not accept within {self._budget_ms} ms")
            return ProxyVerdict("unreachable", f"it may be called, and did not accept: {error.strerror or 'too slow'}")
        await wire.aclose()
        return ProxyVerdict("open", f"it connected to {address} port {sent.port}; nothing was sent")
