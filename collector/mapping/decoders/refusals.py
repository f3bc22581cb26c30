"""How a decoder says no, and the bounds that all of them keep."""

DEPTH_LIMIT = 64
"""Levels of nesting: real answers have fewer than ten, and what walks the tree recursively must never overflow."""
NODES_LIMIT = 20_000
"""Objects, lists and values of one tree: 1 MiB of `[],[],` would become 350,000 of them, and 30 MB."""


class UndecodableError(ValueError):
    """The text is not what the profile says.

    Attributes:
        problem: what is wrong and where, in ASCII.
        stage: `decode`, or `truncated` when the answer's end is missing.
    """

    def __init__(self, problem: str, stage: str = "decode") -> None:
        super().__init__(problem)
        self.problem, self.stage = problem, stage


def crowded() -> UndecodableError:
    """The refusal of a tree that has too many nodes."""
    return UndecodableError(f"more than {NODES_LIMIT:,} values")


def too_deep() -> UndecodableError:
    """The refusal of a tree that has too many levels."""
    return UndecodableError(f"nested deeper than {DEPTH_LIMIT} levels")


def place(text: str, position: int) -> str:
    """Where a character stands, for people."""
    before = text[:position]
    return f"line {before.count(chr(10)) + 1} column {position - before.rfind(chr(10))}"
