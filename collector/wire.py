"""Every name that travels through Temporal, in one place: renaming one breaks what runs."""

TASK_QUEUE = "chamberlog"

CHAMBER_WORKFLOW = "Chamber"
CHAMBER_ID_PREFIX = "chamber/"

COLLECT = "collect"
STORE = "store"
COLLECT_ADHOC = "collect_adhoc"

RECONCILE_WORKFLOW = "Reconcile"
RECONCILE = "reconcile"
RECONCILE_SCHEDULE = "reconcile"
MAINTENANCE_WORKFLOW = "Maintenance"
MAINTAIN = "maintain"
MAINTENANCE_SCHEDULE = "maintenance"

SIGNAL_PAUSE = "pause"
SIGNAL_RESUME = "resume"
SIGNAL_SET_INTERVAL = "set_interval"

UPDATE_CONFIGURE = "configure"
UPDATE_PAUSE = "pause_chamber"
UPDATE_RESUME = "resume_chamber"
UPDATE_COLLECT = "collect_reading"
UPDATE_RETIRE = "retire"
UPDATE_BEGIN_AGAIN = "begin_again"

QUERY_STATUS = "status"

SEARCH_ORGANIZATION = "ChamberOrganization"
SEARCH_SECTION = "ChamberSection"
SEARCH_STATUS = "ChamberStatus"
SEARCH_PROFILE = "ChamberProfile"
SEARCH_INTERVAL_SECONDS = "ChamberIntervalSeconds"

MEMO_VERSION = "version"
"""The version of the spec that a chamber has: whoever lists chambers sees it without asking each."""

INVALID, CONFLICT = "Invalid", "Conflict"
"""Types of the application errors with which a workflow rejects an update."""


def workflow_id(chamber_id: str) -> str:
    """The id of the chamber's one workflow."""
    return CHAMBER_ID_PREFIX + chamber_id


def chamber_id(workflow_id: str) -> str:
    """The chamber of a workflow's id."""
    return workflow_id.removeprefix(CHAMBER_ID_PREFIX)
