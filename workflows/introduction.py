"""What a chamber says of itself in the Temporal Web UI beside its state: what it is, and what people do with it."""

from urllib.parse import quote, urlsplit

from collector import wire
from collector.domain.chamber import ChamberSpec
from workflows.texts import plain

SUMMARY_BYTES = 200
"""Temporal's limit of a static summary."""
UI_PATH = "/temporal"
"""Of the Web UI behind a gateway. Links are relative to the host: no workflow knows where people come in."""


def summary_of(spec: ChamberSpec) -> str:
    """One line for whoever lists or describes: never the URL, which may say more than everybody should read.

    A run keeps what it was started with, and runs that follow have none: the interval, which changes most, is left out.
    """
    text = f"{spec.name or spec.id}: {spec.profile}, section {spec.section} of {spec.organization}"
    return text.encode()[:SUMMARY_BYTES].decode(errors="ignore")


def start_of(spec: ChamberSpec) -> str:
    """Markdown for the details with which a chamber is started; the runs that follow have none."""
    lines = [
        f"Started with version {spec.version} of its settings:",
        "",
        *facts_of(spec),
        "",
        "This stays as it was. What the chamber does now, and what to do with it, are the current details.",
    ]
    return "\n".join(lines)


def facts_of(spec: ChamberSpec) -> list[str]:
    """What the owner asked for, an item of a list each; of the URL what holds no secret."""
    lines = [f"- name: {plain(spec.name)}"] if spec.name else []
    lines += [
        f"- section {spec.section} of organization {spec.organization}",
        f"- device: {plain(address_of(spec.url))}",
        f"- profile {plain(spec.profile)}"
        + (f", version {plain(spec.profile_version)}" if spec.profile_version else ""),
        f"- a slot every {spec.interval_ms / 1000:g} s, at most {spec.timeout_ms / 1000:g} s for an attempt",
    ]
    return lines


def address_of(url: str) -> str:
    """The URL up to its path: user-info and the query, which may be passwords, are left out."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return "unreadable"
    host = parts.netloc.rpartition("@")[2]
    return f"{parts.scheme}://{host}{parts.path}" + ("?..." if parts.query else "")


def orders_for(spec: ChamberSpec, namespace: str) -> list[str]:
    """Markdown lines: the commands of this very chamber, and where its like are found."""
    chamber, workflow = spec.id, wire.workflow_id(spec.id)
    here = f'ChamberOrganization="{spec.organization}" AND ChamberSection="{spec.section}"'
    links = {
        f"section {spec.section}": listed(namespace, here),
        "all failing": listed(namespace, 'ChamberStatus="failing"'),
        "all paused": listed(namespace, 'ChamberStatus="paused"'),
        "the API": "/docs",
    }
    return [
        "```",
        f"chamberlog show {chamber}",
        f"chamberlog gaps {chamber} --from=-1h",
        f"chamberlog collect {chamber}",
        f"chamberlog pause {chamber} --reason door --until 30m",
        f"chamberlog resume {chamber}",
        f"temporal workflow signal -w {workflow} --name pause \\",
        """    --input '{"reason":"door"}'""",
        f"temporal workflow signal -w {workflow} --name resume",
        "```",
        "",
        ", ".join(f"[{words}]({address})" for words, address in links.items()),
    ]


def listed(namespace: str, query: str) -> str:
    """The address of the Web UI's list of running workflows that the query finds."""
    wanted = quote(f'{query} AND ExecutionStatus="Running"', safe="")
    return f"{UI_PATH}/namespaces/{quote(namespace, safe='')}/workflows?query={wanted}"
