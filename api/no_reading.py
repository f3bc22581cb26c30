"""What is said when a device was asked to be read now, and gave no reading."""

from api.field_errors import FieldError
from api.problems import ProblemError
from collector.domain.outcome import Gap, GapReason

PATIENT = frozenset({GapReason.TIMEOUT, GapReason.OVERRUN})
GUILTY = {
    GapReason.UNREACHABLE: ("url", "check that the device is on, and that its address and port are right"),
    GapReason.TIMEOUT: ("timeout_s", "give it more time, or see why the device is slow"),
    GapReason.HTTP_STATUS: ("url", "check the path: the device answers, but not with a reading"),
    GapReason.UNAUTHORIZED: ("secret_ref", "check the credential that it names"),
    GapReason.MALFORMED: ("profile", "check that the profile fits the device: GET /v1/profiles"),
    GapReason.BLOCKED: ("url", "let the section's egress policy (CHAMBERLOG_EGRESS) allow the address and port"),
    GapReason.MISCONFIGURED: ("profile", "correct what the problem names"),
    GapReason.DENIED: ("url", "the device itself says no: see its display or manual"),
    GapReason.TOO_LARGE: ("url", "check the path: a reading is never that long"),
}
"""Which field most likely has to be changed when a device gave no reading, and how."""


def no_reading(gap: Gap) -> ProblemError:
    """The answer to a request for a reading that came to this."""
    field, remedy = GUILTY.get(gap.reason, ("id", "see the gaps of the chamber"))
    problem = f"{gap.reason.value}: {gap.detail}" if gap.detail else gap.reason.value
    status = 504 if gap.reason in PATIENT else 502
    error = FieldError(field=field, problem=problem, remedy=remedy)
    return ProblemError(status, f"the device gave no reading ({problem}); {remedy}", [error])
