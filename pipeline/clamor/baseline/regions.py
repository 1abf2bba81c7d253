"""The tree of regions: who lies in whom, and what time it is there."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import pandas as pd

from clamor.errors import InputError

UTC = "UTC"


@dataclass(frozen=True)
class Tree:
    """Region to parent, and region to time zone where it has one of its own."""

    parent: Mapping[str, str]
    zones: Mapping[str, str]

    def lineage(self, region: str) -> list[str]:
        """Return the ancestors of a region, nearest first."""
        line: list[str] = []
        while region in self.parent:
            region = self.parent[region]
            line.append(region)
        return line

    def zone(self, region: str) -> str:
        """Return a region's own time zone, else its nearest ancestor's, else UTC."""
        return next((self.zones[r] for r in (region, *self.lineage(region)) if r in self.zones), UTC)


def region_tree(regions: pd.DataFrame | None, used: Iterable[str]) -> Tree:
    """Check a regions frame and return its tree; None means a flat list in UTC.

    Raises:
        InputError: a used region is neither listed nor a parent, one is listed twice or its own ancestor, or a zone is
            unknown.

    """
    if regions is None:
        return Tree({}, {})
    if "region" not in regions.columns:
        raise InputError(
            "regions: column 'region' is missing; needed are region, parent, timezone or utc_offset_h; add it"
        )
    twice = regions["region"][regions["region"].duplicated()]
    if len(twice):
        raise InputError(f"regions: {twice.iloc[0]!r} is there twice; a region has one parent; drop the repeat")
    parent: dict[str, str] = {}
    if "parent" in regions.columns:
        pairs = zip(regions["region"], regions["parent"], strict=True)
        parent = {str(r): str(p) for r, p in pairs if not pd.isna(p) and str(p) != ""}
    _check_cycles(parent)
    used = list(dict.fromkeys(used))
    known = {str(r) for r in regions["region"]} | set(parent.values())
    for region in used:
        if region not in known:
            raise InputError(
                f"regions: {region!r} is counted but not listed; every counted region is listed; add a row"
            )
    tree = Tree(parent, {})
    wanted = {*used, *(up for region in used for up in tree.lineage(region))}
    return Tree(parent, _zones(regions[regions["region"].isin(wanted)]))


def _check_cycles(parent: Mapping[str, str]) -> None:
    for region in parent:
        seen = {region}
        up = parent[region]
        while up in parent and up not in seen:
            seen.add(up)
            up = parent[up]
        if up in seen:
            raise InputError(f"regions: {region!r} is its own ancestor; the regions form a tree; correct its parent")


def _zones(regions: pd.DataFrame) -> dict[str, str]:
    zones: dict[str, str] = {}
    if "utc_offset_h" in regions.columns:
        for region, hours in zip(regions["region"], regions["utc_offset_h"], strict=True):
            if pd.isna(hours):
                continue
            if not -14 <= float(hours) <= 14:
                raise InputError(f"regions: utc_offset_h {hours} of {region!r}; it lies within -14 to 14; correct it")
            minutes = round(float(hours) * 60)
            zones[str(region)] = f"{'+' if minutes >= 0 else '-'}{abs(minutes) // 60:02d}:{abs(minutes) % 60:02d}"
    if "timezone" in regions.columns:
        for region, name in zip(regions["region"], regions["timezone"], strict=True):
            if pd.isna(name) or str(name) == "":
                continue
            zones[str(region)] = _known_zone(str(name), str(region))
    return zones


def _known_zone(name: str, region: str) -> str:
    try:
        pd.Timestamp(0, tz=name)
    except (KeyError, ValueError, TypeError) as error:
        raise InputError(
            f"regions: timezone {name!r} of {region!r} is not an IANA name; say such as Europe/Paris"
        ) from error
    return name
