"""What a profile asks of a device."""

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, Strict, model_validator

from collector.mapping import checks
from collector.mapping.rules import Rules

MAX_BYTES_DEFAULT, MAX_BYTES_CEILING = 65_536, 1024 * 1024
"""The largest recorded answer has 2 KB; a body over the ceiling is not a device's reading."""


class RequestRules(Rules):
    """What is asked. Always a GET: a profile cannot write.

    Attributes:
        path: taken when the chamber's URL is a bare host; may have a query.
        headers: sent as they stand; no credentials.
        auth: how the chamber's secret is sent; `basic`, `digest` and `query` expect `user:password`. With `none` no
            secret is ever sent.
        auth_optional: a chamber without a secret is asked without one: the password is the owner's choice at the device.
        auth_query: of `query`: names of the two parameters that carry user and password.
        only_empty_parameters: a device that writes by a GET with values: every parameter of the URL, the owner's own
            included, must have an empty value.
        max_bytes: limit of the decompressed body.
    """

    path: Annotated[str, AfterValidator(checks.request_path)] = "/"
    headers: Annotated[Mapping[str, str], AfterValidator(checks.headers)] = Field(default_factory=dict)
    auth: Literal["none", "bearer", "basic", "digest", "query"] = "none"
    auth_optional: bool = False
    auth_query: Annotated[tuple[str, str], Strict(strict=False)] | None = None
    only_empty_parameters: bool = False
    max_bytes: Annotated[int, Field(ge=1, le=MAX_BYTES_CEILING)] = MAX_BYTES_DEFAULT

    @model_validator(mode="after")
    def _names_of_parameters(self) -> "RequestRules":
        if (self.auth == "query") != (self.auth_query is not None):
            raise checks.refusal(
                "auth: query and auth_query go together",
                "write both, such as auth: query and auth_query: [user, password], or neither",
                ("auth_query",),
            )
        return self
