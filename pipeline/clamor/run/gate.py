"""Interrupts that wait: Ctrl-C and SIGTERM come through where they may, and are kept while something is finished."""

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Final, Self

_SIGNALS: Final = (signal.SIGINT, signal.SIGTERM)
_Handler = Callable[[int, FrameType | None], object]


class Gate:
    """Keeps the process's own handlers of interrupts waiting, except within :meth:`open`.

    A signal without a handler (SIGTERM in a notebook) ends the process as ever. Signals are the main thread's: in
    another one this does nothing.
    """

    def __init__(self) -> None:
        self._before: dict[int, _Handler] = {}
        self._came: list[int] = []
        self._open = False

    def __enter__(self) -> Self:
        if threading.current_thread() is threading.main_thread():
            for number in _SIGNALS:
                handler = signal.getsignal(number)
                if callable(handler):
                    self._before[number] = handler
                    signal.signal(number, self._handle)
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)
        if kind is None:
            self._deliver()

    @contextmanager
    def open(self) -> Iterator[None]:
        """Let interrupts through, those that came before first."""
        self._deliver()
        self._open = True
        try:
            yield
        finally:
            self._open = False

    def _deliver(self) -> None:
        if self._came:
            number = self._came.pop(0)
            self._before[number](number, None)

    def _handle(self, number: int, frame: FrameType | None) -> None:
        if self._open:
            self._before[number](number, frame)
        else:
            self._came.append(number)
