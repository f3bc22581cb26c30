"""In-memory twins of the stores and the registry: shipped, and held equal to PostgreSQL by the contract tests."""

from adapters.memory.active import InMemoryActive
from adapters.memory.answers import InMemoryAnswers
from adapters.memory.events import InMemoryEvents
from adapters.memory.history import InMemoryHistory
from adapters.memory.invitations import InMemoryInvitations, InMemoryResets
from adapters.memory.keys import InMemoryKeys
from adapters.memory.latest import InMemoryLatest
from adapters.memory.ledger import InMemoryLedger
from adapters.memory.live import InMemoryLive
from adapters.memory.mail import InMemoryMail
from adapters.memory.maintenance import InMemoryMaintenance
from adapters.memory.organizations import InMemoryBatches, InMemoryOrganizations, InMemorySections
from adapters.memory.outcomes import InMemoryOutcomes
from adapters.memory.profiles import InMemoryProfiles
from adapters.memory.registry import InMemoryRegistry
from adapters.memory.sessions import InMemorySessions
from adapters.memory.tracing import InMemoryTracing, KeptSpan
from adapters.memory.upkeep import InMemoryUpkeep
from adapters.memory.users import InMemoryUsers

__all__ = [
    "InMemoryActive",
    "InMemoryAnswers",
    "InMemoryBatches",
    "InMemoryEvents",
    "InMemoryHistory",
    "InMemoryInvitations",
    "InMemoryKeys",
    "InMemoryLatest",
    "InMemoryLedger",
    "InMemoryLive",
    "InMemoryMail",
    "InMemoryMaintenance",
    "InMemoryOrganizations",
    "InMemoryOutcomes",
    "InMemoryProfiles",
    "InMemoryRegistry",
    "InMemoryResets",
    "InMemorySections",
    "InMemorySessions",
    "InMemoryTracing",
    "InMemoryUpkeep",
    "InMemoryUsers",
    "KeptSpan",
]
