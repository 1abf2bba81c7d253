"""States over time as thin strips: a few rectangles of SVG, drawn without any script."""

from dataclasses import dataclass
from typing import Final

import numpy as np

from clamor.report.drawn import runs
from clamor.report.window import ELEVATED, NO_DATA, RANKED, Ranks

_COLUMNS: Final = 480


@dataclass(frozen=True)
class Piece:
    """One rectangle: from ``x``, ``width`` wide, in thousandths of the strip; ``kind`` is its CSS class."""

    x: float
    width: float
    kind: str


def thinned(ranks: Ranks, columns: int = _COLUMNS) -> Ranks:
    """Reduce ranks to at most ``columns``: trouble wins, then a gap, so that neither can vanish."""
    step = -(-len(ranks) // columns) if len(ranks) else 1
    if step <= 1:
        return ranks
    filled = np.r_[ranks, np.full(-len(ranks) % step, ranks[-1], np.int8)].reshape(-1, step)
    worst, gap = filled.max(axis=1), (filled == NO_DATA).any(axis=1)
    return np.where((worst < ELEVATED) & gap, np.int8(NO_DATA), worst)


def strip(ranks: Ranks) -> list[Piece]:
    """Return the pieces of a strip, one for each run of equal state."""
    thin = thinned(ranks)
    return pieces(thin, [str(state) for state in RANKED])


def pieces(codes: Ranks, kinds: list[str]) -> list[Piece]:
    """Return the pieces of a strip of codes, whose names are ``kinds``."""
    scale = 1000 / len(codes) if len(codes) else 0
    found = runs(codes, range(len(kinds)))
    return [Piece(round(a * scale, 2), round((b - a) * scale, 2), kinds[code]) for a, b, code in found]
