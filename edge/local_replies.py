"""What the gateway itself answers, in the form of the API's problem documents (RFC 9457)."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from edge.problem_documents import RETRY_AFTER_S, problem_document

if TYPE_CHECKING:
    from edge.ingress import IngressSettings

GRPC_STATUSES: Mapping[int, int] = {404: 5, 422: 3, 429: 8}
"""NOT_FOUND, INVALID_ARGUMENT and RESOURCE_EXHAUSTED for what the authz service denies."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """One kind of answer.

    Attributes:
        status: of HTTP.
        detail: what is wrong, and what to do.
        field: what of the request is meant; empty = nothing of it.
        flags: Envoy's response flags of which one is set; none = whatever is.
        retry_after_s: when to try again; 0 = that would not help.
        exact: this status only; else this one and all above.
    """

    status: int
    detail: str
    field: str = ""
    flags: tuple[str, ...] = ()
    retry_after_s: int = 0
    exact: bool = True

    @property
    def key(self) -> str:
        """A name that no other reply has."""
        return "_".join([str(self.status), *self.flags]).lower() + ("" if self.exact else "_and_above")

    @property
    def document(self) -> dict[str, Any]:
        """The problem document; its status is Envoy's word, for a reply that stands for several."""
        problem, _, remedy = self.detail.partition("; ")
        faults = [(self.field, problem, remedy)] if self.field else []
        return problem_document(self.status, self.detail, faults) | {"status": "%RESPONSE_CODE%"}


REPLIES = (
    Reply(
        status=429,
        detail="this gateway has more requests than it takes; wait a second and try again",
        retry_after_s=1,
    ),
    Reply(
        status=503,
        flags=("UAEX",),
        detail="nobody can tell now who asks: the authz service, or its database, does not answer; try again",
        retry_after_s=RETRY_AFTER_S,
    ),
    Reply(
        status=503,
        flags=("UC",),
        detail="the connection broke while the API had the request; read what became of it before you repeat it",
        retry_after_s=RETRY_AFTER_S,
    ),
    Reply(
        status=503,
        detail="what answers this path is away, or has more requests than it takes; try again",
        retry_after_s=RETRY_AFTER_S,
    ),
    Reply(
        status=504,
        detail="there was no answer within {wait_s} s; ask for less at a time",
    ),
    Reply(
        status=413,
        field="body",
        detail="the body is longer than {body_bytes} bytes; send at most {kib} KiB",
    ),
    Reply(
        status=431,
        field="headers",
        detail="the headers are too many or too long; send at most {headers} with {headers_kb} KiB",
    ),
    Reply(status=408, detail="the request did not arrive in time; send it again"),
    Reply(status=404, field="path", detail="there is no such path; see /docs for those there are"),
    Reply(
        status=400,
        detail="this is no request of HTTP, or one that servers read differently: a header's name with an"
        " underscore, an escaped slash in the path, two lengths of a body; send it plainly",
    ),
    Reply(status=500, exact=False, detail="the gateway could not pass the request on; try again"),
    Reply(status=400, exact=False, detail="the gateway refuses this request; send it plainly"),
)
"""Of those that fit an answer the first one counts. What stands in braces is filled in by `replies`."""


def replies(settings: "IngressSettings") -> list[Reply]:
    """Every kind of answer of a gateway with these settings."""
    limits, timeouts = settings.limits, settings.timeouts
    values = {
        "wait_s": max(timeouts.read_s, timeouts.write_s),
        "body_bytes": limits.body_bytes,
        "kib": limits.body_bytes // 1024,
        "headers": limits.headers,
        "headers_kb": limits.headers_kb,
    }
    return [replace(reply, detail=reply.detail.format(**values)) for reply in REPLIES]
