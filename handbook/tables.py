"""What a row of each table is, by topic: the words of the schema's page."""

from collections.abc import Mapping
from dataclasses import dataclass

VIEWS = {
    "reading_value": "One row a measurement, with unit, quality, section and batch: for people and SQL.",
    "reading_profile": "Which version of which profile made each reading.",
    "chamber_overview": "A chamber's row with what the ledger says of it: its status, its last reading.",
}


@dataclass(frozen=True, slots=True)
class Topic:
    """Tables that are drawn in one picture.

    Attributes:
        tables: each with a sentence of what a row of it is.
    """

    title: str
    text: str
    tables: Mapping[str, str]


TOPICS = (
    Topic(
        "Chambers, and where they stand",
        "Who is read, how often, and where: the registry.",
        {
            "organization": "A tenant.",
            "section": "A part of an organization where chambers stand.",
            "chamber": "A chamber as its owner wants it, its pause, and up to which slot everything is settled.",
            "chamber_section": "Where a chamber stood from which slot on; a move rewrites nothing of the past.",
            "schedule_epoch": "A time during which a chamber has one grid. The audit expects the slots of all epochs.",
            "batch": "What is observed in a section for a while; two of one section never overlap.",
        },
    ),
    Topic(
        "Readings and gaps",
        "What became of each slot: the ledger. `reading` has a partition for each UTC day, `reading_YYYYMMDD`.",
        {
            "reading": "All measurements of one slot, as two arrays in the order of a detector set.",
            "gap": "A run of slots without a reading, and why. Append-only, but for open pauses, closed once.",
            "detector_set": "Names and units of a reading's values, in their order; shared by all that have the same.",
            "detector": "A quantity of a chamber: its alias, and whether it is switched off.",
            "chamber_latest": "The newest reading of each chamber.",
            "reading_adhoc": "Readings that somebody asked for by hand, off the grid: no audit counts them.",
            "chamber_answer": "The last answer of a device that could be read, and the last one that could not.",
        },
    ),
    Topic(
        "Profiles",
        "By what a device is read.",
        {
            "profile_document": "A version of a profile: its text never changes.",
            "profile_offer": "The version of each of its own profiles that an organization offers now.",
            "chamber_profile": "Which version reads a chamber from which version of its spec on.",
        },
    ),
    Topic(
        "Upkeep",
        "What the hourly maintenance and the minutely reconciling leave behind.",
        {
            "audit_day": "The proof of a chamber's day: expected, stored, gaps by reason, a digest of its readings.",
            "sealed_day": "A day of which every slot of every chamber has its outcome.",
            "retained_from": "One row: readings of earlier slots were dropped.",
            "reading_hourly": "A detector's hour: lowest, highest, sum and number of its values.",
            "rolled_up": "One row: what was stored before this instant is in the hourly figures.",
            "upkeep": "When the fleet was looked after last, and what that came to.",
            "schema_migration": "Which migrations were applied, with the checksum of each.",
        },
    ),
    Topic(
        "People, keys and what they did",
        "Who may do what, and who did.",
        {
            "api_key": "A key of a machine: its hash, role and limits.",
            "app_user": "A person of an organization.",
            "invitation": "A person who may become a user.",
            "password_reset": "A token by which somebody sets a new password, once.",
            "user_session": "A sign-in.",
            "session_token": "The tokens of a sign-in, by their hashes.",
            "audit_event": "Who did what to what, when and why. Written once; a trigger refuses every change.",
        },
    ),
)
