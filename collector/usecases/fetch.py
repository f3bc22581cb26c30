"""One attempt to read a chamber: request, answer, measurements."""

import logging
from dataclasses import dataclass

from collector.domain.chamber import TIMEOUT_FLOOR_MS, ChamberSpec
from collector.domain.egress import EgressPolicies
from collector.domain.errors import MalformedAnswerError, ProfileAwayError, SlotFailedError
from collector.domain.memory import Memory
from collector.domain.outcome import Reading
from collector.mapping.profile import Profile
from collector.mapping.request import request_digest, request_headers, request_parameters, request_url
from collector.ports import Clock, DeviceClient, DeviceRequest, SecretResolver, SpecProfiles
from collector.usecases.keep_answers import Seen
from collector.usecases.map_answer import MapAnswer

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Fetched:
    """What an attempt brought.

    Attributes:
        reading: judged by what the chamber remembered.
        memory: what the next one is judged by, once this one is its slot's outcome; None when the profile needs none.
    """

    reading: Reading
    memory: Memory | None = None


class FetchReading:
    """Reads a chamber once and maps the answer. Running it again reads the device again."""

    def __init__(
        self,
        devices: DeviceClient,
        profiles: SpecProfiles,
        secrets: SecretResolver,
        egress: EgressPolicies,
        clock: Clock,
        *,
        mapping: MapAnswer | None = None,
    ) -> None:
        self._devices, self._profiles, self._secrets = devices, profiles, secrets
        self._egress, self._clock, self._map = egress, clock, mapping or MapAnswer()

    async def __call__(self, spec: ChamberSpec, slot_ms: int, budget_ms: int, memory: Memory | None = None) -> Fetched:
        """One reading for the slot within the budget, judged by the memory; the same memory judges the same.

        Raises:
            SlotFailedError: the attempt failed; says why and whether another one makes sense.
        """
        try:
            return await self._read(spec, slot_ms, budget_ms, memory)
        except SlotFailedError:
            raise
        except Exception as error:
            # A defect in mapping or client must cost this slot and be seen, not stop the chamber.
            log.exception("defect while reading chamber %s", spec.id)
            raise MalformedAnswerError(f"defect: {type(error).__name__}") from error

    async def _read(self, spec: ChamberSpec, slot_ms: int, budget_ms: int, memory: Memory | None) -> Fetched:
        began = self._clock.monotonic_ms()
        profile = await self._profiles.of(spec)
        secret = self._secrets.resolve(spec.secret_ref) if spec.secret_ref else None
        requested_ms, started = self._clock.now_ms(), self._clock.monotonic_ms()
        left_ms = budget_ms - (started - began)
        if started > began and left_ms < TIMEOUT_FLOOR_MS:
            raise ProfileAwayError(
                "profile: the look-up of its version took the attempt's time; the device was not asked"
            )
        request = self._request(spec, profile, secret, left_ms)
        answer = await self._devices.fetch(request)
        received_ms = requested_ms + self._clock.monotonic_ms() - started
        mapped = self._map(Seen(spec, profile, slot_ms, received_ms, answer.body, secret), memory)
        instants = (slot_ms, requested_ms, received_ms)
        return Fetched(Reading(*instants, mapped.measurements, spec.version, mapped.observed_ms), mapped.memory)

    def _request(self, spec: ChamberSpec, profile: Profile, secret: str | None, budget_ms: int) -> DeviceRequest:
        return DeviceRequest(
            url=request_url(profile, spec.url),
            budget_ms=budget_ms,
            egress=self._egress.of(spec.organization, spec.section),
            headers=request_headers(profile, secret),
            parameters=request_parameters(profile, secret),
            digest=request_digest(profile, secret),
            max_bytes=profile.request.max_bytes,
            verify_tls=spec.verify_tls,
            section=f"{spec.organization}/{spec.section}",
        )
