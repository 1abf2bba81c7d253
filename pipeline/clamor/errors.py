"""What can go wrong, as one small tree.

Every message is one line with the offending value, the rule that it breaks and the next step. The command line prints
the message alone; a traceback is for our own mistakes only.
"""


class ClamorError(Exception):
    """The root: anything that clamor tells a user about."""


class InputError(ClamorError):
    """A file, frame or argument that cannot be used as it is."""


class ConfigError(ClamorError):
    """A setting that is missing or contradictory."""


class SourceError(ClamorError):
    """A service behind a collector that refused, failed or answered nonsense."""


class LakeError(ClamorError):
    """The lake cannot be read or written."""


class BusyError(ClamorError):
    """Another process holds what this one needs."""
