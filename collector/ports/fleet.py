"""Speaking to the chambers' workflows."""

from typing import Protocol

from collector.messages import (
    AdhocOutcome,
    ChamberStatus,
    CollectRequest,
    ConfigureRequest,
    PauseAnswer,
    PauseRequest,
    ResumeRequest,
    RetireAnswer,
    RetireRequest,
    SlotAnswer,
)
from collector.ports.registry import ChamberRecord


class FleetControl(Protocol):
    """Speaks to the chambers' workflows.

    Every method raises `EngineAwayError` when Temporal cannot be reached or no worker answers in time. Methods that
    speak to one workflow raise `NotFoundError` when it does not run, and `RejectedError` when it says no.
    """

    async def start(self, record: ChamberRecord) -> None:
        """Start the chamber's workflow from the row: at `settled_through_ms`, with its pause. Again: nothing.

        Slots between that and the end of the run before, if there was one, become `lost`; later ones `missed`.
        """
        ...

    async def pause(self, chamber_id: str, request: PauseRequest) -> PauseAnswer:
        """Answers once the change is in force."""
        ...

    async def resume(self, chamber_id: str, request: ResumeRequest) -> SlotAnswer:
        """Answers once the change is in force."""
        ...

    async def configure(self, chamber_id: str, request: ConfigureRequest) -> SlotAnswer:
        """Answers once the change is in force; the same version again changes nothing."""
        ...

    async def begin_again(self, record: ChamberRecord) -> SlotAnswer:
        """Take a chamber that runs back to its row, as after a start: the row or its ledger is older than the chamber.

        What only the chamber has (outcomes that wait) stays; slots that the ledger has forgotten become `lost`.
        """
        ...

    async def collect(self, chamber_id: str, request: CollectRequest, within_ms: int) -> AdhocOutcome:
        """Answers with the outcome.

        Raises:
            DeviceTimeoutError: there was none within `within_ms`.
        """
        ...

    async def retire(self, chamber_id: str, request: RetireRequest) -> RetireAnswer:
        """Answers once the last slot is known; the workflow ends when everything is stored."""
        ...

    async def status(self, chamber_id: str) -> ChamberStatus:
        """What the chamber says of itself."""
        ...

    async def ping(self) -> None:
        """Whether Temporal can be reached."""
        ...
