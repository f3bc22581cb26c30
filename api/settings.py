"""The API's settings, from the environment."""

from pathlib import Path
from typing import Annotated

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

PREFIX = "CHAMBERLOG_"


class ApiSettings(BaseSettings):
    """`CHAMBERLOG_*`; Temporal's address is found by `temporalio.envconfig` instead.

    Attributes:
        postgres: DSN of the readings' database.
        redis: URL of Valkey or Redis; without it latest readings come from the database, and nobody can watch live.
        profiles: folder of own device profiles, beside the built-in ones.
        api_host: address to listen on; loopback unless a gateway stands before it.
        api_port: port to listen on.
        grpc_host: address on which gRPC listens; None = where the REST API does.
        grpc_port: port of gRPC, 0 = any free one; None = there is no gRPC.
        max_streams: live streams of this process at a time.
        smtp_url: where mail is handed in; without it nobody is sent anything.
        mail_from: address in `From`.
        public_url: where people reach the API, for letters.
        assertion_keys: public keys of the gateway; without them nobody can come by a gateway.
        rate_limits: how often somebody may ask, where the standard is not wanted.
    """

    model_config = SettingsConfigDict(env_prefix=PREFIX, env_ignore_empty=True, extra="ignore")

    postgres: SecretStr
    redis: SecretStr | None = None
    profiles: Path | None = None
    api_host: str = "127.0.0.1"
    api_port: Annotated[int, Field(ge=0, le=65_535)] = 8080
    grpc_host: str | None = None
    grpc_port: Annotated[int, Field(ge=0, le=65_535)] | None = None
    max_streams: Annotated[int, Field(ge=1, le=10_000)] = 100
    smtp_url: SecretStr | None = None
    mail_from: str = ""
    public_url: str = ""
    assertion_keys: SecretStr | None = None  # no secret, but like them it may stand in a file
    rate_limits: str = ""
