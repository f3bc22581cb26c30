"""Arguments and flags that several commands have in common, each with the same name, help and completion."""

from typing import Annotated

import typer

from cli.completion import batches, chambers, detectors, organizations, profiles, sections

Chamber = Annotated[str, typer.Argument(metavar="ID", help="The chamber's id.", autocompletion=chambers)]
Organization = Annotated[str, typer.Argument(metavar="ID", help="The organization's id.", autocompletion=organizations)]
Section = Annotated[str, typer.Argument(metavar="ID", help="The section's id.", autocompletion=sections)]
Batch = Annotated[str, typer.Argument(metavar="ID", help="The batch's id.", autocompletion=batches)]
DetectorArgument = Annotated[
    str | None,
    typer.Argument(metavar="DETECTOR", help="Only this quantity: its name or alias.", autocompletion=detectors),
]

DetectorFlag = Annotated[
    str | None,
    typer.Option("--detector", help="Only this quantity: its name or alias.", autocompletion=detectors),
]
ChamberFlag = Annotated[
    str | None,
    typer.Option("--chamber", help="Only of this chamber.", autocompletion=chambers),
]
ChambersFlag = Annotated[
    list[str] | None,
    typer.Option("--chamber", help="Only this chamber; may be repeated.", autocompletion=chambers),
]
SectionFlag = Annotated[
    str | None,
    typer.Option("--section", help="Only of this section.", autocompletion=sections),
]
BatchFlag = Annotated[
    str | None,
    typer.Option("--batch", help="Only what belongs to this batch; its range is the default.", autocompletion=batches),
]
Profile = Annotated[str, typer.Argument(metavar="NAME", help="The profile's name.", autocompletion=profiles)]
ProfileHelp = "Device profile; `chamberlog profiles` lists them."
TimezoneHelp = "Zone of the device's clock, such as Europe/Prague, where its answers name none."
SerialNumberHelp = "The device's own: another device at the address is refused."
LabelFlag = Annotated[list[str] | None, typer.Option("--label", help="KEY=VALUE; may be repeated.")]

FromFlag = Annotated[str | None, typer.Option("--from", help="Inclusive: 2026-01-31T08:00:00Z, 2026-01-31 or -2h.")]
ToFlag = Annotated[str | None, typer.Option("--to", help="Exclusive; as --from.")]
FormatHelp = "else the ending of the file's name says it."
LimitFlag = Annotated[int | None, typer.Option("--limit", min=1, help="At most so many.")]
ReasonFlag = Annotated[str, typer.Option("--reason", help="Why, for the gap that this leaves.")]
UntilFlag = Annotated[str | None, typer.Option("--until", help="30m from now, or 2026-01-31T08:00:00Z.")]
CsvFlag = Annotated[bool, typer.Option("--csv", help="CSV instead of a table.")]

__all__ = [
    "Batch",
    "BatchFlag",
    "Chamber",
    "ChamberFlag",
    "ChambersFlag",
    "CsvFlag",
    "DetectorArgument",
    "DetectorFlag",
    "FromFlag",
    "LabelFlag",
    "LimitFlag",
    "Organization",
    "Profile",
    "ProfileHelp",
    "ReasonFlag",
    "Section",
    "SectionFlag",
    "SerialNumberHelp",
    "TimezoneHelp",
    "ToFlag",
    "UntilFlag",
    "chambers",
    "detectors",
    "profiles",
    "sections",
]
