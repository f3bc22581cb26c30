"""What a fault of content is given."""

from collections.abc import Callable
from dataclasses import dataclass

from simulator.dialects import Answer, Dialect, Moment
from simulator.dialects.marks import Fill, Mark, Token, as_sent
from simulator.faults.fault import Fault


@dataclass(frozen=True, slots=True)
class Telling:
    """What is asked and by whom it is answered."""

    dialect: Dialect
    moment: Moment
    fault: Fault

    def filled(self, fill: Fill, *, always: bool = False) -> Answer:
        """The answer with other values: the temperature's alone, unless the fault's form or the caller says all."""
        everywhere = always or self.fault.form == "all"

        def chosen(mark: Mark) -> Token:
            meant = mark.quantity != "time" and (everywhere or mark.quantity == "temperature")
            return fill(mark) if meant else as_sent(mark)

        return self.dialect.answer(self.moment, chosen)

    @property
    def usual(self) -> Answer:
        """The answer without the fault."""
        return self.dialect.answer(self.moment)


Content = Callable[[Telling], Answer]
