"""Regions as a tree: which of them an incident names, and how far it reaches.

A region is an *area* (the world, a continent, or what else holds countries), a *country* or a *subdivision* (below a
country). In somebody else's tree what holds others is an area and the leaves are countries, unless kinds are given.
``ZZ``, the region of posts whose place is not known, is outside the tree.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property

import pandas as pd

from clamor.schema import CONTINENTS, UNKNOWN_REGION, WORLD, Scope


@dataclass(frozen=True)
class Tree:
    """Parents of regions; codes not given are placed by their form (``US-MI`` below ``US``, ``US`` below ``001``).

    Attributes:
        parent: Region to the region that it lies in.
        kind: Region to ``area``, ``country`` or ``subdivision``, where that is known.

    """

    parent: Mapping[str, str] = field(default_factory=dict)
    kind: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, regions: pd.DataFrame | None) -> "Tree":
        """Make a tree from a frame with ``region``, ``parent`` (null or empty for a root) and perhaps ``kind``."""
        if regions is None:
            return cls()
        pairs = zip(regions["region"].tolist(), regions["parent"].tolist(), strict=True)
        kind = dict(zip(regions["region"].tolist(), regions["kind"].tolist(), strict=True)) if "kind" in regions else {}
        return cls({region: parent for region, parent in pairs if isinstance(parent, str) and parent}, kind)

    @cached_property
    def _holders(self) -> frozenset[str]:
        """Regions that hold others which are not their subdivisions by form."""
        return frozenset(parent for region, parent in self.parent.items() if not region.startswith(f"{parent}-"))

    def up(self, region: str) -> str | None:
        """Return the parent of a region, or None for the world, ``ZZ`` and roots."""
        if region in self.parent:
            return self.parent[region]
        if region in (WORLD, UNKNOWN_REGION):
            return None
        if region in CONTINENTS or _is_code(region):
            return WORLD
        return region[:2] if region[2:3] == "-" and _is_code(region[:2]) and region not in self._holders else None

    def path(self, region: str, *, unknown: bool = False) -> tuple[str, ...]:
        """Return the region and everything above it, nearest first; ``unknown`` puts ``ZZ`` below the world."""
        path = [region, WORLD] if unknown and region == UNKNOWN_REGION else [region]
        while (above := self.up(path[-1])) is not None and above not in path:
            path.append(above)
        return tuple(path)

    def is_area(self, region: str) -> bool:
        """Tell whether a region is the world, a continent or another group of countries."""
        if region in self.kind:
            return self.kind[region] == "area"
        return region.isdigit() or region in self._holders

    def country(self, region: str) -> str | None:
        """Return the country of a country or subdivision, None for areas and ``ZZ``."""
        if region == UNKNOWN_REGION or self.is_area(region):
            return None
        return next((r for r in reversed(self.path(region)) if not self.is_area(r)), None)

    def continent(self, region: str) -> str | None:
        """Return the area right above the world that holds a region, None for the world itself."""
        areas = [r for r in self.path(region) if self.is_area(r)]
        return areas[-2] if len(areas) > 1 else None

    def meet(self, left: Iterable[str], right: Collection[str]) -> bool:
        """Tell whether two sets of regions share ground: a region of one is, or lies in, or holds, one of the other."""
        left = list(left)
        below_left = {r for region in right for r in self.path(region)}
        below_right = {r for region in left for r in self.path(region)}
        return any(region in below_left for region in left) or any(region in below_right for region in right)

    def common(self, regions: Collection[str]) -> tuple[str, ...]:
        """Return the regions that hold all of these, nearest first; empty where nothing does."""
        paths = [self.path(region) for region in regions]
        return tuple(r for r in paths[0] if all(r in path for path in paths)) if paths else ()


def _is_code(region: str) -> bool:
    """Tell whether a name has the form of a country's code."""
    return len(region) == 2 and region.isalpha() and region.isupper() and region != UNKNOWN_REGION


def finest(tree: Tree, excess: Mapping[str, float], within: Mapping[str, float]) -> list[str]:
    """Pick the finest of the affected regions, the strongest first.

    Areas go where a region below them is affected. A country goes where its affected subdivisions hold at least half of
    its excess; otherwise more than they is affected, and it is named beside them. Over several countries only countries
    are named.

    Args:
        tree: The regions.
        excess: Affected region to its excess posts.
        within: Affected country to the excess of its affected subdivisions in the country's own best source.

    """
    below = {above for region in excess for above in tree.path(region)[1:]}
    named = [
        region
        for region, posts in excess.items()
        if region not in below or (not tree.is_area(region) and within.get(region, 0.0) < posts / 2)
    ]
    named = [region for region in named if region != UNKNOWN_REGION] or named
    countries = {country for region in named if (country := tree.country(region))}
    if len(countries) > 1:
        named = list(dict.fromkeys(tree.country(region) or region for region in named))
    weight = {region: excess.get(region, 0.0) for region in named}
    return sorted(named, key=lambda region: (-weight[region], region))


def reach(tree: Tree, named: Collection[str], watched: Collection[str], *, world: bool, elsewhere: bool) -> Scope:
    """Say how far an incident reaches.

    *Global* is an incident that the world's own series shows (if there is one) and that lies in three continents or
    more, or in more than half of at least four watched countries, or whose unnamed countries together also show an
    excess, or that no country can be told for.

    Args:
        tree: The regions.
        named: Regions that the incident names.
        watched: Countries that have a series of the service.
        world: The world's series shows the incident, or there is none.
        elsewhere: The countries that are not named show an excess when taken together.

    """
    countries = {country for region in named if (country := tree.country(region))}
    if not countries:
        return Scope.MULTI_COUNTRY if any(tree.continent(r) for r in named) and WORLD not in named else Scope.GLOBAL
    continents = {tree.continent(country) for country in countries} - {None}
    most = len(watched) >= 4 and 2 * len(countries) > len(watched)
    if world and (elsewhere or len(continents) >= 3 or most):
        return Scope.GLOBAL
    if len(countries) > 1:
        return Scope.MULTI_COUNTRY
    return Scope.COUNTRY if countries & set(named) else Scope.SUBDIVISION
