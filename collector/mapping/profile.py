"""The schema of a device profile."""

from pydantic import BaseModel, ConfigDict


class Profile(BaseModel):
    """How one device family is read."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
