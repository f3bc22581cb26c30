"""Groups of commands, such as `chamberlog sections`: told nothing else they list."""

from collections.abc import Sequence
from typing import Any

from typer.core import TyperGroup

DEFAULT = "list"


class ListingGroup(TyperGroup):
    """`chamberlog sections --json` is `chamberlog sections list --json`."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Put the default before flags that are not the group's own."""
        says_nothing = not args or args[0].startswith("-")
        if says_nothing and "--help" not in args and not ctx.resilient_parsing:
            args = [DEFAULT, *args]
        return super().parse_args(ctx, args)


class ProgramGroup(TyperGroup):
    """The program itself: its help shows commands and groups in the order of their panels."""

    panels: Sequence[str] = ()

    def list_commands(self, ctx: Any) -> list[str]:
        """Panel by panel; within one as they were made, groups last."""
        names = super().list_commands(ctx)
        panel_of = {name: vars(command)["rich_help_panel"] for name, command in self.commands.items()}
        return sorted(names, key=lambda name: self.panels.index(panel_of[name]))
