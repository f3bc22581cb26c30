"""The API's settings, from the environment."""

from pathlib import Path
from typing import Annotated

from pydantic import Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from collector.domain.errors import InvalidFieldError

PREFIX = "CHAMBERLOG_"
DSN_REMEDY = "write postgresql://user:password@host:5432/database"


class ApiSettings(BaseSettings):
    """`CHAMBERLOG_*`; Temporal's address is found by `temporalio.envconfig` instead.

    Attributes:
        postgres: DSN of the readings' database.
        redis: URL of Valkey or Redis; without it latest readings come from the database.
        profiles: folder of own device profiles, beside the built-in ones.
        api_host: address to listen on; loopback unless a gateway stands before it.
        api_port: port to listen on.
    """

    model_config = SettingsConfigDict(env_prefix=PREFIX, env_ignore_empty=True, extra="ignore")

    postgres: SecretStr
    redis: SecretStr | None = None
    profiles: Path | None = None
    api_host: str = "127.0.0.1"
    api_port: Annotated[int, Field(ge=0, le=65_535)] = 8080


def load_settings() -> ApiSettings:
    """Read the environment.

    Raises:
        InvalidFieldError: names the variable; never quotes its value, which may be a password.
    """
    try:
        return ApiSettings()
    except ValidationError as error:
        first = error.errors(include_input=False)[0]
        name = PREFIX + str(first["loc"][0]).upper()
        missing = first["type"] == "missing"
        remedy = DSN_REMEDY if name.endswith("POSTGRES") else "correct it, or take it away for its default"
        raise InvalidFieldError(name, "it is not set" if missing else first["msg"], remedy) from None
