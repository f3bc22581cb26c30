"""The worker's settings, from the environment."""

from pathlib import Path
from typing import Annotated

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

PREFIX = "CHAMBERLOG_"


class WorkerSettings(BaseSettings):
    """`CHAMBERLOG_*`; Temporal's address is found by `temporalio.envconfig` instead.

    Attributes:
        postgres: DSN of the readings' database.
        redis: URL of Valkey or Redis; without it latest readings are not cached.
        profiles: folder of own device profiles, beside the built-in ones.
        egress: which addresses devices may have: JSON, or the path of a JSON file.
        metrics_host: address of `/metrics` and `/readyz`.
        metrics_port: their port; 0 = any free one.
        max_activities: rounds and other activities at a time; every chamber below 60 s occupies one all the time.
        max_cached_workflows: chambers kept in memory; the others are replayed at each round.
        heartbeat_s: distance of the heartbeats of long rounds, at least 5; without it as seldom as possible where the
            server passes cancels on to workers, else 20.
        max_workflow_tasks: workflow tasks at a time: a herd of them must not pass the deadlock detector's 2 s.
    """

    model_config = SettingsConfigDict(env_prefix=PREFIX, env_ignore_empty=True, extra="ignore")

    postgres: SecretStr
    redis: SecretStr | None = None
    profiles: Path | None = None
    egress: str | None = None
    metrics_host: str = "127.0.0.1"
    metrics_port: Annotated[int, Field(ge=0, le=65_535)] = 0
    max_activities: Annotated[int, Field(ge=1, le=100_000)] = 2_000
    max_cached_workflows: Annotated[int, Field(ge=1, le=1_000_000)] = 10_000
    heartbeat_s: Annotated[float, Field(ge=5, le=3_600)] | None = None
    max_workflow_tasks: Annotated[int, Field(ge=2, le=1_000)] = 40
