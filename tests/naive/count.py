"""Slow twin of clamor.collect.count: one Python object for each post and dictionaries of sets."""

from collections import defaultdict

from clamor.schema import UNKNOWN_REGION


def distinct(read, bin_minutes):
    """(post, readings) pairs -> one (bin, author, readings) for each id that names a service, by the stated rule."""
    best = {}
    for post, readings in read:
        if not readings:
            continue
        bin_start = post.created_at // (60 * bin_minutes) * 60 * bin_minutes
        meaning = tuple((r.service, r.region, str(r.signal), r.symptoms, r.claims) for r in readings)
        rank = (bin_start, [r.region == UNKNOWN_REGION for r in readings], meaning)
        if post.id not in best or rank < best[post.id][0]:
            best[post.id] = (rank, post.author, readings)
    return [(rank[0], author, readings) for rank, author, readings in best.values()]


def volumes(read, bin_minutes):
    """(post, readings) pairs -> {(service, region, signal, symptom, bin seconds): (posts, authors or None)}."""
    posts, authors = defaultdict(int), defaultdict(set)
    for bin_start, author, readings in distinct(read, bin_minutes):
        kinds = set()
        for r in readings:
            kinds.add((r.service, r.region, "mention", "any"))
            if r.signal in ("complaint", "commentary"):
                kinds.add((r.service, r.region, str(r.signal), "any"))
            if r.signal == "complaint":
                for symptom in r.symptoms:
                    kinds.add((r.service, r.region, "complaint", str(symptom)))
        for kind in kinds:
            posts[(*kind, bin_start)] += 1
            authors[(*kind, bin_start)].add(author)
    return {key: (n, None if "" in authors[key] else len(authors[key])) for key, n in posts.items()}


def claims(read, bin_minutes):
    """(post, readings) pairs -> {(service, region, claim, bin seconds): posts}."""
    posts = defaultdict(int)
    for bin_start, _, readings in distinct(read, bin_minutes):
        for kind in {(r.service, r.region, claim) for r in readings for claim in r.claims}:
            posts[(*kind, bin_start)] += 1
    return dict(posts)
