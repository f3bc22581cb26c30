"""What a comparison of registry and workflows is asked and answers; it travels through Temporal: only add to it."""

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class ReconcileRequest:
    """One run of `reconcile`.

    Attributes:
        all: repair however many there are: a person has looked at them.
        dry_run: say what would be done, and do nothing.
    """

    all: bool = False
    dry_run: bool = False


@dataclass(frozen=True, slots=True)
class ReconcileOutcome:
    """What registry and workflows came to.

    Attributes:
        rows: chambers that are not retired.
        runs: workflows of chambers that have not ended.
        counts: what was done or found (the words of `collector.usecases.reconcile`) to how many chambers.
        examples: the same to sentences, at most `EXAMPLES` each, each beginning with the chamber's id.
        alarm: why nothing was repaired, though something is to be; empty when all was.
    """

    rows: int
    runs: int
    counts: dict[str, int] = field(default_factory=dict)
    examples: dict[str, list[str]] = field(default_factory=dict)
    alarm: str = ""
