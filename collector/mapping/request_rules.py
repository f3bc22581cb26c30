"""What a profile asks of a device."""

import re
from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, Strict, model_validator

from collector.mapping import checks
from collector.mapping.rules import Rules

MAX_BYTES_DEFAULT, MAX_BYTES_CEILING = 65_536, 1024 * 1024
"""The largest recorded answer has 2 KB; a body over the ceiling is not a device's reading."""

ONLY_EMPTY = re.compile(r"/[A-Za-z0-9_./-]*(?:\?([A-Za-z0-9_]+=(?:&[A-Za-z0-9_]+=)*))?")
EMPTY_REMEDY = "write each parameter once as NAME= with nothing behind it, joined by &, and a path of a-z, 0-9, _ . - /"
_PARAMETER = re.compile(r"[A-Za-z0-9_.~-]+")


def only_empty(target: str) -> bool:
    """Whether a path with its query has parameters with empty values only, each once, and nothing to be decoded."""
    found = ONLY_EMPTY.fullmatch(target)
    names = (found[1] or "").lower().split("&") if found is not None else []
    return found is not None and len(names) == len(set(names))


class RequestRules(Rules):
    """What is asked. Always a GET: a profile cannot write.

    Attributes:
        path: taken when the chamber's URL is a bare host; may have a query.
        headers: sent as they stand; no credentials.
        auth: how the chamber's secret is sent; `basic`, `digest` and `query` with two names expect `user:password`, the
            others take it as it is. With `none` no secret is ever sent.
        auth_optional: a chamber without a secret is asked without one: a password is its owner's choice.
        auth_query: of `query`: names of the two parameters for user and password, or of the one for the whole secret.
        auth_header: of `header`: the header that carries the secret, such as X-API-Key.
        only_empty_parameters: a device that writes by a GET with values: every parameter of the URL, the owner's own
            included, must have an empty value.
        max_bytes: limit of the decompressed body.
    """

    path: Annotated[str, AfterValidator(checks.request_path)] = "/"
    headers: Annotated[Mapping[str, str], AfterValidator(checks.headers)] = Field(default_factory=dict)
    auth: Literal["none", "bearer", "basic", "digest", "query", "header"] = "none"
    auth_optional: bool = False
    auth_query: Annotated[tuple[str, ...], Strict(strict=False), Field(min_length=1, max_length=2)] | None = None
    auth_header: Annotated[str, AfterValidator(checks.header_name)] | None = None
    only_empty_parameters: bool = False
    max_bytes: Annotated[int, Field(ge=1, le=MAX_BYTES_CEILING)] = MAX_BYTES_DEFAULT

    @model_validator(mode="after")
    def _writes_nothing(self) -> "RequestRules":
        if self.only_empty_parameters and self.auth == "query":
            raise checks.refusal(
                "only_empty_parameters forbids the parameters of auth: query", "use another auth", ("auth",)
            )
        if self.only_empty_parameters and not only_empty(self.path):
            raise checks.refusal(
                f"{self.path[:80]!r} has more than plain names with empty values", EMPTY_REMEDY, ("path",)
            )
        return self

    @model_validator(mode="after")
    def _names_of_parameters(self) -> "RequestRules":
        if (self.auth == "query") != (self.auth_query is not None):
            raise checks.refusal(
                "auth: query and auth_query go together",
                "write both, such as auth: query and auth_query: [user, password], or neither",
                ("auth_query",),
            )
        if (self.auth == "header") != (self.auth_header is not None):
            raise checks.refusal(
                "auth: header and auth_header go together",
                "write both, such as auth: header and auth_header: X-API-Key, or neither",
                ("auth_header",),
            )
        names = self.auth_query or ()
        if len(set(names)) != len(names) or not all(_PARAMETER.fullmatch(name) for name in names):
            raise checks.refusal(
                "auth_query has names that are no two parameters",
                "write two different names of a-z, 0-9, _ . ~ -",
                ("auth_query",),
            )
        return self
