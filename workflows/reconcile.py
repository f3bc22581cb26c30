"""Reconciling registry and workflows: a schedule runs it each minute, a person whenever they like."""

from temporalio import workflow
from temporalio.exceptions import ApplicationError

with workflow.unsafe.imports_passed_through():
    from collector import wire
    from collector.domain.reconciling import ReconcileOutcome, ReconcileRequest
    from workflows import policies

TOO_MANY = "TooManyRepairs"


@workflow.defn(name=wire.RECONCILE_WORKFLOW)
class ReconcileWorkflow:
    """Compares registry and workflows once, repairs what differs, and answers with what it found.

    Identity:
        `reconcile-<time>` from its schedule; any other id from a person.
    State:
        none.
    Messages:
        none; the input is a `ReconcileRequest`, or nothing.
    Ends when:
        its one activity has ended. It fails when so much differs that nothing was repaired.
    Compatibility:
        runs last seconds, so that no run meets two releases.
    """

    @workflow.run
    async def run(self, request: ReconcileRequest | None = None) -> ReconcileOutcome:
        """One comparison; again: what is left to repair."""
        wish = request or ReconcileRequest()
        outcome: ReconcileOutcome = await workflow.execute_activity(
            wire.RECONCILE, wish, result_type=ReconcileOutcome, **policies.reconcile_policy(everything=wish.all)
        )
        workflow.set_current_details(_markdown(outcome))
        if outcome.alarm:
            raise ApplicationError(outcome.alarm, outcome, type=TOO_MANY, non_retryable=True)
        return outcome


def _markdown(outcome: ReconcileOutcome) -> str:
    lines = [f"{outcome.rows} chambers in the registry, {outcome.runs} run"]
    lines += [f"**{outcome.alarm}**"] if outcome.alarm else []
    for kind, examples in outcome.examples.items():
        lines.append(f"- {kind}: {outcome.counts[kind]}")
        lines += [f"  - {sentence}" for sentence in examples]
    return "\n".join(lines)
