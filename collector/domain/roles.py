"""What people and machines may do: four roles, each with all that the ones before it may."""

from enum import Enum

from collector.domain.errors import InvalidFieldError


class Role(Enum):
    """How far somebody may go, in ascending order."""

    VIEWER = "viewer"
    """Sees everything of the organization but who may do what in it."""
    OPERATOR = "operator"
    """Pauses, resumes, collects now, begins and ends batches."""
    ADMINISTRATOR = "administrator"
    """Runs the organization: chambers, sections, profiles, users, keys."""
    SUPER_ADMINISTRATOR = "super-administrator"
    """Runs the deployment: all organizations, monitoring, the Temporal Web UI."""

    def covers(self, other: "Role") -> bool:
        """Whether whoever has this role may what the other one may."""
        order = list(Role)
        return order.index(self) >= order.index(other)


def parse_role(text: str, field: str = "role") -> Role:
    """The role of that name.

    Raises:
        InvalidFieldError: there is none; lists those that there are.
    """
    try:
        return Role(text)
    except ValueError:
        names = ", ".join(role.value for role in Role)
        raise InvalidFieldError(field, f"there is no role {text[:40]!r}", f"give one of {names}") from None
