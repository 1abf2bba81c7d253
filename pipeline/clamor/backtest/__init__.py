"""How good it is: incidents beside what is known to have happened, and what a policy would have done to a history.

Apart from the simulator this is the only stage that may see a truth.
"""

from clamor.backtest.compare import Comparison, compare, together
from clamor.backtest.drawn import chart
from clamor.backtest.policies import Backtest, backtest

__all__ = ["Backtest", "Comparison", "backtest", "chart", "compare", "together"]
