"""Maintaining the ledger: a schedule runs it each hour, a person whenever they like."""

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from collector import wire
    from collector.domain.sealing import MaintenanceOutcome
    from workflows import policies


@workflow.defn(name=wire.MAINTENANCE_WORKFLOW)
class MaintenanceWorkflow:
    """Has the ledger kept in order once, and answers with what was done.

    Identity:
        `maintenance-<time>` from its schedule; any other id from a person.
    State:
        none.
    Messages:
        none.
    Ends when:
        its one activity has ended. It fails when a step did, after a few attempts.
    Compatibility:
        runs last minutes, so that hardly one meets two releases.
    """

    @workflow.run
    async def run(self) -> MaintenanceOutcome:
        """One run; again: what is left to do."""
        outcome: MaintenanceOutcome = await workflow.execute_activity(
            wire.MAINTAIN, result_type=MaintenanceOutcome, **policies.maintain_policy()
        )
        workflow.set_current_details(_markdown(outcome))
        return outcome


def _markdown(outcome: MaintenanceOutcome) -> str:
    lines = [
        f"{outcome.partitions_made} partitions made, {outcome.hours_rolled_up} hours rolled up",
        f"sealed: {', '.join(outcome.days_sealed) or 'nothing new'}",
        f"dropped: {', '.join(outcome.days_dropped) or 'nothing'}",
    ]
    if outcome.retained_from:
        lines.append(f"readings are retained from {outcome.retained_from}")
    lines += [f"**{sentence}**" for sentence in (*outcome.days_not_sealed, *outcome.days_not_dropped)]
    return "\n\n".join(lines)
