"""The report: what is failing, where, since when and how it is known, as an offline page or charts for notebooks."""

from clamor.report.notebook import chart, map_chart, timeline
from clamor.report.page import page
from clamor.report.status import status

__all__ = ["chart", "map_chart", "page", "status", "timeline"]
