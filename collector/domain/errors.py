"""Every error the core raises.

ChamberlogError
├── InvalidFieldError           an input is wrong: names the field, the problem and the remedy
├── NotFoundError               no such thing inside the caller's organization
├── UnauthenticatedError        nobody valid asks
├── ForbiddenError              whoever asks may not do that
├── TooManyRequestsError        whoever asks has asked too often
├── ConflictError               the thing exists and is different, or its state forbids the request
│   ├── StaleVersionError       somebody changed it since it was read
│   └── ProfileChangedError     the same of a profile, whose versions are texts
├── AwayError                   a server that is needed cannot be reached: try again later
│   ├── StoreRefusedError       the store did not take the outcome: keep it
│   └── EngineAwayError         Temporal cannot be reached
├── RejectedError               the chamber's workflow said no
├── FrozenError                 this process stood still: another may carry its work by now
└── SlotFailedError             one attempt for a slot failed; says its gap reason and whether to try again
    ├── DeviceUnreachableError  DNS, refused, reset, TLS
    ├── DeviceTimeoutError      no whole answer within the budget
    ├── DeviceStatusError       an answer outside 2xx
    ├── DeviceUnauthorizedError 401 or 403
    ├── DeniedError             the device answered and said no
    ├── AnswerTooLargeError     more bytes than the profile allows
    ├── MalformedAnswerError    decoding or mapping failed
    ├── BlockedError            the egress policy forbids the address
    ├── MisconfiguredError      the chamber's own settings cannot work
    ├── ProfileAwayError        nobody could ask: the version of the profile is kept where nobody answers
    └── EgressAwayError         nobody could ask: the egress proxy cannot be reached, or takes nobody in
"""

from typing import ClassVar

from collector.domain.outcome import GapReason


class ChamberlogError(Exception):
    """Root of every error that the core raises on purpose."""


class InvalidFieldError(ChamberlogError):
    """An input is wrong.

    Attributes:
        field: the input's name, as the caller wrote it.
        problem: what is wrong with the value.
        remedy: what to write instead.
    """

    def __init__(self, field: str, problem: str, remedy: str) -> None:
        super().__init__(f"{field}: {problem}; {remedy}")
        self.field, self.problem, self.remedy = field, problem, remedy


class NotFoundError(ChamberlogError):
    """No such thing inside the caller's organization; a foreign one looks the same.

    Attributes:
        remedy: where those that there are can be seen, when it is not the list of what was asked for.
    """

    def __init__(self, message: str, remedy: str = "") -> None:
        super().__init__(message)
        self.remedy = remedy


class UnauthenticatedError(ChamberlogError):
    """Nobody valid asks: there is no credential, or it is none of ours, expired or revoked.

    Attributes:
        remedy: what to send instead.
        field: where it stands.
        account: organization and `user/<id>` of whom it was about, for the audit events alone: no answer shows it.
    """

    def __init__(
        self, message: str, remedy: str, field: str = "Authorization", *, account: tuple[str, str] | None = None
    ) -> None:
        super().__init__(message)
        self.remedy, self.field, self.account = remedy, field, account


class TooManyRequestsError(ChamberlogError):
    """Whoever asks has asked too often.

    Attributes:
        retry_after_s: when there is room again, seconds, at least 1.
        remedy: what to do meanwhile.
        policy: name of the limit and its figures, requests and seconds; None = they are nobody's business.
    """

    def __init__(
        self, message: str, retry_after_s: int, remedy: str, *, policy: tuple[str, int, int] | None = None
    ) -> None:
        super().__init__(message)
        self.retry_after_s, self.remedy, self.policy = retry_after_s, remedy, policy


class ForbiddenError(ChamberlogError):
    """Whoever asks may not do that, whatever the request says.

    Attributes:
        remedy: whom to ask, and for what.
    """

    def __init__(self, message: str, remedy: str) -> None:
        super().__init__(message)
        self.remedy = remedy


class ConflictError(ChamberlogError):
    """The thing exists and is different, or its state forbids the request.

    Attributes:
        remedy: what the caller can do about it.
        field: the input that collides, if it is one.
    """

    def __init__(self, message: str, remedy: str = "", field: str | None = None) -> None:
        super().__init__(message)
        self.remedy, self.field = remedy, field


class StaleVersionError(ConflictError):
    """Somebody changed it since the caller read it.

    Attributes:
        current: the version that stands now.
    """

    def __init__(self, current: int) -> None:
        super().__init__(f"it is at version {current} now", "read it again and repeat the change")
        self.current = current


class ProfileChangedError(ConflictError):
    """Another version of the profile is offered than the caller read.

    Attributes:
        current: the version that stands now; None = none.
    """

    def __init__(self, current: str | None) -> None:
        stands = f"it is version {current} now" if current else "it is not offered any more"
        super().__init__(stands, "read it again and repeat the change")
        self.current = current


class AwayError(ChamberlogError):
    """A server that is needed cannot be reached; the same request may work later."""


class StoreRefusedError(AwayError):
    """The store did not take the outcome: whoever holds it keeps it. Storing it again later is harmless."""


class EngineAwayError(AwayError):
    """Temporal cannot be reached, or no worker answered in time."""


class RejectedError(ChamberlogError):
    """The chamber's workflow said no.

    Attributes:
        kind: `Invalid` (the request is wrong) or `Conflict` (the chamber's state forbids it).
    """

    def __init__(self, message: str, kind: str) -> None:
        super().__init__(message)
        self.kind = kind


class FrozenError(ChamberlogError):
    """This process stood still for so long that another may carry its work by now: it must store nothing."""


class SlotFailedError(ChamberlogError):
    """One attempt for a slot failed.

    Attributes:
        reason: the gap reason if it stays so.
        retryable: whether another attempt within the slot's deadline makes sense.
        detail: a short code plus what was seen, at most 500 characters, never a secret or a whole body.
        wait_ms: how long the device asks to be left alone; 0 = it does not.
    """

    reason: ClassVar[GapReason]
    retryable: ClassVar[bool] = True

    def __init__(self, detail: str, *, wait_ms: int = 0) -> None:
        self.detail, self.wait_ms = detail[:500], wait_ms
        super().__init__(self.detail)


class DeviceUnreachableError(SlotFailedError):
    """DNS failed, or the connection was refused, reset or refused by TLS."""

    reason = GapReason.UNREACHABLE


class DeviceTimeoutError(SlotFailedError):
    """No whole answer within the attempt's total time budget."""

    reason = GapReason.TIMEOUT


class DeviceStatusError(SlotFailedError):
    """The device answered outside 2xx."""

    reason = GapReason.HTTP_STATUS


class DeviceUnauthorizedError(SlotFailedError):
    """The device answered 401 or 403: another attempt with the same secret cannot help."""

    reason = GapReason.UNAUTHORIZED
    retryable = False


class DeniedError(SlotFailedError):
    """The device answered 2xx and said no in the body."""

    reason = GapReason.DENIED


class AnswerTooLargeError(SlotFailedError):
    """The (decompressed) body grew over the profile's limit; reading stopped there."""

    reason = GapReason.TOO_LARGE
    retryable = False


class MalformedAnswerError(SlotFailedError):
    """The answer could not be decoded or mapped; `detail` says stage, path and a short excerpt."""

    reason = GapReason.MALFORMED


class BlockedError(SlotFailedError):
    """The egress policy forbids the resolved address or the port."""

    reason = GapReason.BLOCKED
    retryable = False


class MisconfiguredError(SlotFailedError):
    """The chamber's own settings cannot work: unknown profile, unknown unit, missing secret."""

    reason = GapReason.MISCONFIGURED
    retryable = False


class ProfileAwayError(SlotFailedError):
    """The version of the profile that reads the chamber is not at hand, and what keeps it cannot be reached.

    `missed`, because the device is not to blame and was not asked; nor are the chamber's settings wrong.
    """

    reason = GapReason.MISSED


class EgressAwayError(SlotFailedError):
    """The egress proxy cannot be reached, or takes nobody in.

    `missed`, because the device is not to blame and was not asked.
    """

    reason = GapReason.MISSED
