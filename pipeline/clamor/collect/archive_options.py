"""How archives of posts are read and what they state."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from clamor.collect.reddit import Group


@dataclass(frozen=True, kw_only=True)
class ImportOptions:
    """How archives are read and what they state.

    Attributes:
        format: One of :data:`~clamor.collect.archive_file.FORMATS`; found from the content when None.
        source: Source name of the counts; ``x`` for CSV and twarc, ``reddit`` for dumps when None.
        columns: CSV: field of a post to column name, over the usual names of
            :data:`~clamor.collect.archive_csv.ALIASES`.
        delimiter: CSV: found from the header when None.
        encoding: Of the text; a byte-order mark, else UTF-8, when None.
        timezone: IANA name, of times that name none; such times are refused when None.
        service: Read every post as being about this service.
        services: Count only these.
        groups: Reddit dumps: groups of subreddits, one scope each. When None, monthly dumps (``RS_2026-01.zst``) are
            counted in the groups of the live walks; other files, and all with ``service``, count what is in them under
            scopes of their own.
        covered: Start and end of what the archive proves, seconds since the epoch.
        covered_regions: Where it proves it, with all that lies below.
        bin_minutes: Width of the bins that are kept.

    """

    format: str | None = None
    source: str | None = None
    columns: Mapping[str, str] = field(default_factory=dict)
    delimiter: str | None = None
    encoding: str | None = None
    timezone: str | None = None
    service: str | None = None
    services: tuple[str, ...] | None = None
    groups: tuple[Group, ...] | None = None
    covered: tuple[float, float] | None = None
    covered_regions: tuple[str, ...] | None = None
    bin_minutes: int = 1
