"""Slow, obvious twins of clamor.detect: one number at a time, written from METHOD.md."""

import math

ALONE, EVERYWHERE, NEARBY, SCATTERED = 0.001, 0.002, 0.002, 0.004
REACHED, SOME, CAP = 0.97, 0.24, 5.0
CHATTER, CHATTER_SIZE, CHATTER_POWER = 0.01, 1.5, 3.0


def log_negative_binomial(y, mean, size):
    """Log probability of y under a negative binomial of that mean and size."""
    return (
        math.lgamma(y + size) - math.lgamma(size) - math.lgamma(y + 1)
        + size * math.log(size / (size + mean)) + y * math.log(mean / (size + mean))
    )  # fmt: skip


def likelihoods(y, mean, size, ratios):
    """How much likelier y is if the mean is a multiple of the expected one, for each multiple."""
    usual = log_negative_binomial(y, mean, size)
    return [math.exp(log_negative_binomial(y, r * mean, size) - usual) for r in ratios]


def odds(likely, ratios, service, parent):
    """Weights of the hypotheses by which each series is out, and of those by which it is not: ``[(out, not)]``.

    ``likely[j][r]`` are likelihood ratios; what a series says of others is scaled down to e^5 at most.
    """
    out = []
    for i in range(len(likely)):
        sides = [0.0, 0.0]
        for r, ratio in enumerate(ratios):
            told = [v[r] * min(1, math.exp(CAP) / max(v)) for v in likely]

            def product(members, chance, told=told):
                return math.prod(1 - chance + chance * told[j] for j in members)

            siblings = [j for j in range(len(likely)) if service[j] == service[i] and j != i]
            near = [j for j in siblings if parent[j] == parent[i]]
            talk = CHATTER * (CHATTER_SIZE / ratio) ** CHATTER_POWER
            sides[0] += ALONE / len(ratios) * likely[i][r]
            for prior, members, chance in (
                (EVERYWHERE, siblings, REACHED),
                (NEARBY, near, REACHED),
                (SCATTERED, siblings, SOME),
            ):
                weight = prior / len(ratios) * product(members, chance)
                sides[0] += weight * chance * likely[i][r]
                sides[1] += weight * (1 - chance)
                if chance == REACHED:
                    sides[1] += talk * product(members, chance) * (1 - chance + chance * likely[i][r])
            elsewhere = 0.0
            for other in {parent[j] for j in siblings} - {parent[i]}:
                elsewhere += product([j for j in siblings if parent[j] == other], REACHED) - 1
            sides[1] += NEARBY / len(ratios) * max(elsewhere, 0)
        out.append(tuple(sides))
    return out


def false_share(p_by_bin, at, value):
    """Share of false ones among the tests up to a bin whose p is as small: tests * p / number that small."""
    seen = [p for column in p_by_bin[: at + 1] for p in column]
    shares = [min(len(seen) * q / sum(p <= q for p in seen), 1) for q in seen if q >= value]
    return min(shares)


def news(z, judged, level, age, bin_minutes, bursty=0.0):
    """Evidence of a day less what was told before it; and what is told at its end, and how many bins ago."""
    hour, out = max(4, 60 // bin_minutes), []
    building, again = 1.1 + 0.4 * bursty, 1.3 + 1.1 * bursty
    for value, counts in zip(z, judged, strict=True):
        age += 1
        bent = 4 * math.log1p(max(value, 0) / 4) if counts else 0.0
        need = level * (building if age <= hour else again) * math.exp(-age * bin_minutes / 60 / 12)
        out.append(value if bent >= need else min(value, 1.0))
        if bent >= max(need, 4 * math.log1p(1.5 / 4)):
            level, age = min(bent, 4 * math.log1p(10 / 4)), 0
    return out, level, age


def worth(days, value):
    """What standardized evidence counts for, by the days of series of each highest news: itself, or more."""

    def allowed(at):
        near = sum(number for news, number in days.items() if at <= news < at + 2) / (1 - math.exp(-2))
        return -math.log((near + 200 * math.exp(-at)) / (sum(days.values()) + 200))

    return max(value, *(allowed(1.5 + k / 4) for k in range(int((value - 1.5) * 4) + 1))) if value >= 1.5 else value
