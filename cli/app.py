"""The `chamberlog` command with all its subcommands."""

from typing import Any

import typer

from cli.commands import (
    authz,
    batches,
    changing,
    control,
    detectors,
    egress,
    envoy,
    events,
    exporting,
    fleet,
    importing,
    keys,
    ledger,
    live,
    measuring,
    organizations,
    processes,
    profiles,
    readings,
    sections,
    top,
    tracing,
    users,
)
from cli.commands.ready import ready
from cli.group import ProgramGroup

STACK, FLEET, DATA = "The local stack", "Chambers", "Readings and their proof"
PLACES, PARTS, TRIALS = "Where chambers stand, and who may see them", "Single parts", "Measuring"


class Program(ProgramGroup):
    """With the panels of this program."""

    panels = (STACK, FLEET, DATA, PLACES, PARTS, TRIALS)


app = typer.Typer(
    cls=Program,
    help="Readings from sensor chambers at their owners' interval, every scheduled slot accounted for.",
    epilog="Exit codes: 0 fine, 1 unaccounted slots, 2 overdue slots, 3 not found, 4 refused input, 5 conflict,"
    " 6 something does not answer, 7 not authorised.",
    rich_markup_mode="rich",
    invoke_without_command=True,
)


@app.callback()
def root(context: typer.Context) -> None:
    """Show the help when no command is given."""
    if context.invoked_subcommand is None:
        print(context.get_help())


OF_ITS_OWN: Any = {
    "add_help_option": False,
    "context_settings": {"allow_extra_args": True, "ignore_unknown_options": True},
}
"""A program that reads its own arguments, `--help` included."""

app.command(rich_help_panel=STACK)(processes.up)
app.command(rich_help_panel=STACK)(processes.env)
app.command(rich_help_panel=FLEET)(fleet.add)
app.command("import", rich_help_panel=FLEET, epilog=importing.EPILOG)(importing.import_fleet)
app.command(rich_help_panel=FLEET)(top.top)
app.command("list", rich_help_panel=FLEET)(fleet.list_chambers)
app.command(rich_help_panel=FLEET)(fleet.show)
app.command("change", rich_help_panel=FLEET)(changing.change_chamber)
app.command(rich_help_panel=FLEET)(changing.set_interval)
app.command(rich_help_panel=FLEET)(control.pause)
app.command(rich_help_panel=FLEET)(control.resume)
app.command(rich_help_panel=FLEET)(control.collect)
app.command(rich_help_panel=FLEET)(fleet.retire)
app.command(rich_help_panel=FLEET)(detectors.detectors)
app.add_typer(profiles.group, name="profiles", rich_help_panel=FLEET)
app.command(rich_help_panel=DATA)(readings.readings)
app.command(rich_help_panel=DATA)(live.live)
app.command(rich_help_panel=DATA)(ledger.gaps)
app.command(rich_help_panel=DATA)(ledger.audit)
app.command(rich_help_panel=DATA, epilog=exporting.EPILOG)(exporting.export)
app.add_typer(tracing.group, name="traces", rich_help_panel=DATA)
app.add_typer(organizations.group, name="organizations", rich_help_panel=PLACES)
app.add_typer(sections.group, name="sections", rich_help_panel=PLACES)
app.add_typer(batches.group, name="batches", rich_help_panel=PLACES)
app.add_typer(users.group, name="users", rich_help_panel=PLACES)
app.command(rich_help_panel=PLACES)(events.events)
app.add_typer(keys.group, name="keys", rich_help_panel=PLACES)
app.command(rich_help_panel=PARTS)(processes.worker)
app.command(rich_help_panel=PARTS)(processes.api)
app.add_typer(authz.group, name="authz", rich_help_panel=PARTS)
app.command(rich_help_panel=PARTS, **OF_ITS_OWN)(processes.simulate)
app.command(rich_help_panel=PARTS)(processes.migrate)
app.command(rich_help_panel=PARTS)(ready)
app.add_typer(envoy.group, name="envoy", rich_help_panel=PARTS)
app.add_typer(egress.group, name="egress", rich_help_panel=PARTS)
app.command(rich_help_panel=TRIALS, **OF_ITS_OWN)(measuring.bench)
app.command(rich_help_panel=TRIALS, **OF_ITS_OWN)(measuring.chaos)
