"""Signal handlers take whatever people type: the SDK drops what does not fit a typed argument."""

import inspect
from typing import Any

from temporalio import workflow

from workflows.chamber import ChamberWorkflow


def test_every_signal_handler_takes_any_arguments() -> None:
    definition = workflow._Definition.must_from_class(ChamberWorkflow)
    named = {name: signal.fn for name, signal in definition.signals.items() if name is not None}
    assert set(named) == {"pause", "resume", "set_interval"}
    for name, handler in named.items():
        parameters = list(inspect.signature(handler, eval_str=True).parameters.values())[1:]
        assert [p.kind for p in parameters] == [inspect.Parameter.VAR_POSITIONAL], name
        assert parameters[0].annotation is Any, name


def test_an_unknown_name_is_caught() -> None:
    definition = workflow._Definition.must_from_class(ChamberWorkflow)
    assert None in definition.signals, "a dynamic handler"
