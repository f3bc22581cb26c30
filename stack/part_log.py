"""What became of the parts, as lines of `logs/stack.log`: what `up` itself has to tell to machines."""

import logging

from stack.supervisor import Keeper, State


class PartLog:
    """A line for each change of a part: started, up, died, stays down, stopped.

    Args:
        logger: takes the lines.
    """

    def __init__(self, logger: logging.Logger) -> None:
        self._logger = logger
        self._told: dict[str, tuple[State, int | None]] = {}

    def changed(self, keeper: Keeper) -> None:
        """Tell the part's state; the same state of the same process again is not told."""
        now = (keeper.state, keeper.pid)
        if self._told.get(keeper.part.name) == now:
            return
        self._told[keeper.part.name] = now
        fields = {
            "chamberlog.part": keeper.part.name,
            "chamberlog.part.state": keeper.state.value,
            "chamberlog.part.restarts": keeper.restarts,
            "process.pid": keeper.pid,
        }
        level, text = _line(keeper)
        self._logger.log(
            level, text, extra=fields | ({"chamberlog.part.problem": keeper.problem} if text == DIED else {})
        )

    def close(self) -> None:
        """Close what the logger writes to. Again: nothing happens."""
        for handler in list(self._logger.handlers):
            self._logger.removeHandler(handler)
            handler.close()


DIED = "part has died"


def _line(keeper: Keeper) -> tuple[int, str]:
    if keeper.failed:
        return logging.ERROR, DIED
    if keeper.state is State.RESTARTING and keeper.pid is None:
        return logging.WARNING, DIED
    if keeper.state is State.DOWN:
        return logging.INFO, "part is stopped"
    return logging.INFO, "part is up" if keeper.state is State.UP else "part starts"
