"""Slow, obvious twins of the incident stage: one letter a bin, one loop a rule.

``.`` normal, ``e`` elevated, ``O`` outage, anything else unknown.
"""


def episodes(letters, *, quiet, silent):
    """Return (first, opened, closed, last) of every episode of one series."""
    found, pieces, piece, calm, dark = [], [], [], 0, 0
    for i, letter in enumerate(letters):
        if letter == ".":
            calm += 1
        elif letter in "eO":
            if piece and (calm >= quiet or dark > silent):
                pieces.append(piece)
                piece = []
            piece.append(i)
            calm = dark = 0
        else:
            dark += 1
    for hot in [*pieces, piece]:
        outages = [i for i in hot if letters[i] == "O"]
        if outages:
            first = outages[0]
            for i in reversed([i for i in hot if i < first]):
                if "." in letters[i : outages[0]]:
                    break
                first = i
            found.append((first, outages[0], outages[-1], hot[-1]))
    return found


def merged(spans, *, quiet):
    """Merge (first, opened, closed, last) spans that miss each other by fewer than ``quiet`` bins."""
    groups = []
    for span in sorted(spans):
        if groups and span[0] - max(s[3] for s in groups[-1]) <= quiet:
            groups[-1].append(span)
        else:
            groups.append([span])
    return groups


def status(series, last, *, quiet, stale, now):
    """Say how an incident stands whose series (strings) are these and whose last flagged bin this is."""
    verdicts = set()
    for letters in series:
        calm = 0
        for letter in letters[last + 1 :]:
            if letter in "eO":
                break
            calm += letter == "."
        known = max((i for i, letter in enumerate(letters) if letter in ".eO"), default=-1)
        if calm >= quiet:
            verdicts.add("recovered")
        elif now - (known + 1) <= stale:
            verdicts.add("ongoing")
    for verdict in ("ongoing", "recovered"):
        if verdict in verdicts:
            return verdict
    return "unknown"


def incidents(series, *, quiet, silent, stale, now):
    """Return (first, last, opened, status) of one service's incidents, from region to letters."""
    spans = [
        (*span, region) for region, letters in series.items() for span in episodes(letters, quiet=quiet, silent=silent)
    ]
    found = []
    for group in merged(spans, quiet=quiet):
        last = max(span[3] for span in group)
        mine = [series[region] for region in {span[4] for span in group}]
        how = status(mine, last, quiet=quiet, stale=stale, now=now)
        found.append((min(span[0] for span in group), last, min(span[1] for span in group), how))
    return found


def excess(posts, expected, dispersion, level_cv):
    """Return excess posts and their variance, added up one bin at a time."""
    total = variance = level = 0.0
    for y, mean, alpha, cv in zip(posts, expected, dispersion, level_cv, strict=True):
        total += y - mean
        variance += mean + alpha * mean * mean
        level += cv * mean
    return total, variance + level * level
