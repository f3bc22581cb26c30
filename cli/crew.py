"""Several requests at once: threads that can be told to begin no more, and whose ends are awaited."""

from collections.abc import Callable, Iterator, Sequence
from queue import SimpleQueue
from threading import Event, Lock, Thread
from typing import Generic, TypeVar

T = TypeVar("T")
R = TypeVar("R")


class Crew(Generic[T, R]):
    """Works on items in several threads, from the first call of `results` on.

    The threads end with the process: whoever does not want to wait for them need not.

    Args:
        work: done to each item, in any thread.
        items: begun in their order.
        size: how many at once.
    """

    def __init__(self, work: Callable[[T], R], items: Sequence[T], size: int) -> None:
        self._work, self._items, self._lock = work, iter(items), Lock()
        self._done: SimpleQueue[R | BaseException | None] = SimpleQueue()
        self._halted = Event()
        self._threads = [Thread(target=self._run, daemon=True) for _ in range(min(size, len(items)))]
        self._running = len(self._threads)

    def halt(self) -> None:
        """Begin no more; what has begun goes on, and waits end."""
        self._halted.set()

    def rest(self, seconds: float) -> bool:
        """Wait in the middle of work; whether to go on with it."""
        return not self._halted.wait(seconds)

    def results(self) -> Iterator[R]:
        """As they come, until everything is done, or until what had begun is done after a `halt`.

        May be called again after an interruption: it goes on where it was.

        Raises:
            Exception: whatever the work raised.
        """
        while self._threads:
            self._threads.pop().start()
        while self._running:
            result = self._done.get()
            if result is None:
                self._running -= 1
            elif isinstance(result, BaseException):
                raise result
            else:
                yield result

    def _run(self) -> None:
        while not self._halted.is_set():
            with self._lock:
                item = next(self._items, self)
            if item is self:
                break
            try:
                self._done.put(self._work(item))  # type: ignore[arg-type]  # `self` marks the end, and is no item
            except BaseException as error:  # noqa: BLE001 - raised again where it is awaited
                self._done.put(error)
        self._done.put(None)
