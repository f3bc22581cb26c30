"""The worker's settings, from the environment."""

from pathlib import Path
from typing import Annotated

from pydantic import Field, SecretStr, ValidationInfo, field_validator
from pydantic_core import PydanticCustomError
from pydantic_settings import BaseSettings, SettingsConfigDict

from collector.domain.egress_proxy import parse_proxy
from collector.domain.errors import InvalidFieldError

PREFIX = "CHAMBERLOG_"
DEPLOYMENT, BUILD = r"^[A-Za-z0-9_-]{1,100}$", r"^[A-Za-z0-9._-]{1,100}$"
"""Temporal writes both as one word with a dot between them: only the build may have dots of its own."""


class WorkerSettings(BaseSettings):
    """`CHAMBERLOG_*`; Temporal's address is found by `temporalio.envconfig` instead.

    Attributes:
        postgres: DSN of the readings' database.
        redis: URL of Valkey or Redis; without it latest readings are not cached.
        profiles: folder of own device profiles, beside the built-in ones.
        egress: which addresses devices may have: JSON, or the path of a JSON file.
        egress_proxy: the proxy through which every device is called, `http://host:port`; straight without it.
        metrics_host: address of `/metrics` and `/readyz`.
        metrics_port: their port; 0 = any free one.
        max_activities: rounds and other activities at a time; every chamber below 60 s occupies one all the time.
        max_cached_workflows: chambers kept in memory; the others are replayed at each round.
        heartbeat_s: distance of the heartbeats of long rounds, at least 5; without it as seldom as possible where the
            server passes cancels on to workers, else 20.
        max_workflow_tasks: workflow tasks at a time: a herd of them must not pass the deadlock detector's 2 s.
        retention_days: whole days whose readings are kept; without it they are kept for ever.
        deployment: name of the worker deployment in Temporal; with `build_id` it turns worker versioning on.
        build_id: which build of the deployment this worker is; neither or both.
    """

    model_config = SettingsConfigDict(env_prefix=PREFIX, env_ignore_empty=True, extra="ignore")

    postgres: SecretStr
    redis: SecretStr | None = None
    profiles: Path | None = None
    egress: str | None = None
    egress_proxy: str | None = None
    metrics_host: str = "127.0.0.1"
    metrics_port: Annotated[int, Field(ge=0, le=65_535)] = 0
    max_activities: Annotated[int, Field(ge=1, le=100_000)] = 2_000
    max_cached_workflows: Annotated[int, Field(ge=1, le=1_000_000)] = 10_000
    heartbeat_s: Annotated[float, Field(ge=5, le=3_600)] | None = None
    max_workflow_tasks: Annotated[int, Field(ge=2, le=1_000)] = 40
    retention_days: Annotated[int, Field(ge=3, le=36_500)] | None = None
    deployment: Annotated[str, Field(pattern=DEPLOYMENT)] | None = None
    build_id: Annotated[str, Field(pattern=BUILD)] | None = Field(default=None, validate_default=True)

    @field_validator("egress_proxy")
    @classmethod
    def _as_a_proxy(cls, egress_proxy: str | None) -> str | None:
        try:
            return None if egress_proxy is None else str(parse_proxy(egress_proxy).url)
        except InvalidFieldError as error:
            raise PydanticCustomError("no_proxy", error.problem) from None

    @field_validator("build_id")
    @classmethod
    def _with_deployment(cls, build_id: str | None, info: ValidationInfo) -> str | None:
        deployment = info.data.get("deployment", build_id)  # absent: it was refused, and is named first
        if build_id is None and deployment is not None:
            raise PydanticCustomError("half_a_version", f"it is not set, though {PREFIX}DEPLOYMENT is")
        if build_id is not None and deployment is None:
            raise PydanticCustomError("half_a_version", f"it is set, but {PREFIX}DEPLOYMENT is not")
        return build_id
