"""The authz service's settings, from the environment."""

from typing import Annotated

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

PREFIX = "CHAMBERLOG_"


class AuthzSettings(BaseSettings):
    """`CHAMBERLOG_*`.

    Attributes:
        postgres: DSN of the readings' database, where keys and users are.
        assertion_key: private Ed25519 key, PEM.
        redis: URL of Valkey or Redis, where requests are counted; without it each process counts by itself.
        rate_limits: how often somebody may ask, where the standard is not wanted.
        authz_host: address to listen on; only the gateway is to reach it.
        authz_port: port to listen on.
    """

    model_config = SettingsConfigDict(env_prefix=PREFIX, env_ignore_empty=True, extra="ignore")

    postgres: SecretStr
    assertion_key: SecretStr
    redis: SecretStr | None = None
    rate_limits: str = ""
    authz_host: str = "127.0.0.1"
    authz_port: Annotated[int, Field(ge=0, le=65_535)] = 8081
