"""Attributes whose values people choose: so many of them have a series of their own."""

ORGANIZATIONS_LIMIT = 100
OTHER_ORGANIZATIONS = "_other"
"""Organizations beyond the limit are counted together; an organization's id never begins with an underscore."""


class Organizations:
    """The organizations that a set of instruments tells apart: the first that it hears of."""

    def __init__(self) -> None:
        self._known: set[str] = set()

    def shown(self, organization: str) -> str:
        """The organization, or `_other`; the same answer as long as the process lives."""
        if organization not in self._known:
            if len(self._known) >= ORGANIZATIONS_LIMIT:
                return OTHER_ORGANIZATIONS
            self._known.add(organization)
        return organization
