"""The `chamberlog` command with all its subcommands."""

import typer

from cli.commands import control, fleet, ledger, processes, readings
from cli.commands.ready import ready

app = typer.Typer(
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


STACK, FLEET, DATA, PARTS = "The local stack", "Chambers", "Readings and their proof", "Single parts"

app.command(rich_help_panel=STACK)(processes.up)
app.command(rich_help_panel=STACK)(processes.env)
app.command(rich_help_panel=FLEET)(fleet.add)
app.command("list", rich_help_panel=FLEET)(fleet.list_chambers)
app.command(rich_help_panel=FLEET)(fleet.show)
app.command(rich_help_panel=FLEET)(fleet.set_interval)
app.command(rich_help_panel=FLEET)(control.pause)
app.command(rich_help_panel=FLEET)(control.resume)
app.command(rich_help_panel=FLEET)(control.collect)
app.command(rich_help_panel=FLEET)(fleet.retire)
app.command(rich_help_panel=FLEET)(fleet.profiles)
app.command(rich_help_panel=DATA)(readings.readings)
app.command(rich_help_panel=DATA)(ledger.gaps)
app.command(rich_help_panel=DATA)(ledger.audit)
app.command(rich_help_panel=PARTS)(processes.worker)
app.command(rich_help_panel=PARTS)(processes.api)
app.command(
    rich_help_panel=PARTS,
    add_help_option=False,
    context_settings={"allow_extra_args": True, "ignore_unknown_options": True},
)(processes.simulate)
app.command(rich_help_panel=PARTS)(processes.migrate)
app.command(rich_help_panel=PARTS)(ready)
