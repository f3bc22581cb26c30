"""What Envoy's `ext_authz` filter asks: the client's request without its body, as it tells it.

The filter sends the client's method, `/authz` before the client's path (its `path_prefix`), and those of its headers
that `allowed_headers` names: `authorization`, `chamberlog-organization`, `content-type`, `x-forwarded-for` and
`x-request-id`. These are read here:

| header | what for |
|---|---|
| `authorization` | `Bearer` with a key or an access token; under `/temporal` also `Basic` with a key as password |
| `chamberlog-organization` | in which organization a super-administrator acts |
| `x-chamberlog-client` | the caller's address, as Envoy took it from the connection |
| `x-forwarded-for` | the same where that is not there: its last element, Envoy's; the others are the client's |

`x-chamberlog-client` is made by the filter: `authorization_request.headers_to_add` has it as
`%DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT%`. A client's own never arrives: `allowed_headers` does not name it. Without it
callers on Envoy's own machine have the address that Envoy takes for that machine's.
"""

import base64
import binascii

from collector.domain.access import Operation
from collector.domain.access_table import of_grpc, of_http
from collector.usecases.admit import Ask
from collector.usecases.identify import ORGANIZATION, Headers, bearer_of, value_of

PREFIX = "/authz"
CLIENT, FORWARDED = "x-chamberlog-client", "x-forwarded-for"
TEMPORAL = "monitoring.temporal"
"""The one operation that browsers come to by themselves: they can send `Basic`, and nothing else."""


def operation_of(method: str, path: str) -> Operation | None:
    """The row of the access table; the path is decoded and begins with `PREFIX`."""
    asked = path.removeprefix(PREFIX) or "/"
    return of_grpc(asked) or of_http(method, asked)


def ask_of(operation: Operation | None, headers: Headers, peer: str) -> Ask:
    """The request as the gate judges it.

    Args:
        operation: of `operation_of`.
        headers: as Envoy sent them.
        peer: who sent them, for a gateway that does not tell the caller's address.
    """
    credential = bearer_of(headers) or (_password_of(headers) if takes_basic(operation) else "")
    return Ask(
        operation=operation,
        credential=credential,
        organization=value_of(headers, ORGANIZATION),
        address=value_of(headers, CLIENT) or _last_of(value_of(headers, FORWARDED)) or peer,
    )


def takes_basic(operation: Operation | None) -> bool:
    """Whether a browser may come with a password.

    Nowhere else: it sends a password by itself, and a page of somebody else's could let it do so.
    """
    return operation is not None and operation.name == TEMPORAL


def _last_of(addresses: str | None) -> str:
    return (addresses or "").rpartition(",")[2].strip()


def _password_of(headers: Headers) -> str:
    """The password of `Authorization: Basic`, whatever the user's name; empty = there is none."""
    scheme, _, encoded = (value_of(headers, "authorization") or "").partition(" ")
    if scheme.lower() != "basic":
        return ""
    try:
        return base64.b64decode(encoded.strip(), validate=True).decode().partition(":")[2]
    except (binascii.Error, ValueError):
        return ""
