"""Flags to incidents: one row an outage, over its regions, with what is known of its beginning, end, size and cause.

``episodes`` (two thresholds, one series) → ``cases`` (one service, all regions; ``place`` says where, ``turns`` and
``course`` when) → ``causes`` (one cause, several services) → ``identity`` (ids that stay) → ``build`` (rows of the
incidents table).
``given`` is what they share; ``scope``, ``evidence``, ``measured`` and ``shares`` are what they look things up with;
``words`` says an incident in a sentence.
"""

from clamor.incidents.build import PROVIDER_KINDS, incidents, lookback
from clamor.incidents.rules import Rules
from clamor.incidents.words import sentence

__all__ = ["PROVIDER_KINDS", "Rules", "incidents", "lookback", "sentence"]
