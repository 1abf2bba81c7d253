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
            sides[1] += talk * likely[i][r]
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
    hours, out = 6 + 18 * bursty, []
    for value, counts in zip(z, judged, strict=True):
        age += 1
        bent = 4 * math.log1p(max(value, 0) / 4) if counts else 0.0
        need = level * (1 + 0.5 * bursty) * math.exp(-age * bin_minutes / 60 / hours)
        out.append(value if bent >= need else min(value, 1.0))
        if bent >= max(need, 4 * math.log1p(1.5 / 4)):
            level, age = bent, 0
    return out, level, age


def worth(peaks, edge):
    """What evidence at an edge (1.5, 1.75, ...) counts for, by the peaks of all days: expectation and maximization."""
    cells = [1.5 + k / 4 for k in range(95)]
    number = [sum(at <= peak < at + 0.25 for peak in peaks) for at in cells[:-1]]
    number.append(sum(peak >= cells[-1] for peak in peaks))
    thought = [200 * (math.exp(-at) - (math.exp(-at - 0.25) if at < 25 else 0)) for at in cells]
    outages, slope, scale = sum(number) / 10, 1.0, 4.0
    still = sum(number) - outages

    def between(reached, at):
        return reached(at - 1.5) - (reached(at - 1.25) if at < 25 else 0)

    def flat(x):
        return math.exp(-slope * x)

    def wide(x):
        return (1 + x / scale) * math.exp(-x / scale)

    for _ in range(20):
        quiet, loud = [], []
        for at, n in zip(cells, number, strict=True):
            a, b = still * between(flat, at), outages * between(wide, at)
            quiet.append(n * a / (a + b))
            loud.append(n * b / (a + b))
        far = [at - 1.5 + 0.125 for at in cells]
        still, outages = sum(quiet), sum(loud)
        every = [n + t for n, t in zip(quiet, thought, strict=True)]
        slope = (sum(every) + 200) / (sum(n * x for n, x in zip(every, far, strict=True)) + 200)
        scale = (sum(n * x for n, x in zip(loud, far, strict=True)) / 2 + 200 * 4) / (outages + 200)
    false = sum(n for at, n in zip(cells, every, strict=True) if at >= edge)
    return -math.log(false / (len(peaks) + 200))


def told_hours(tells, over, on):
    """Which hours belong to what was told: from one that tells on until one is back to normal."""
    out = []
    for says, high in zip(tells, over, strict=True):
        on = says or (on and high)
        out.append(on)
    return out


def slow(posts, means, told, at, lengths, rough, ratios):
    """Evidence of the sums of hours that end with one and reach back to what was told at most."""
    if posts[at] - means[at] <= 0.7 * math.sqrt(means[at] + 0.1 * means[at] ** 2):
        return 0.0
    found, most = [], 0
    for length, scatter in zip(lengths, rough, strict=True):
        hours = []
        for hour in range(at, max(at - length, -1), -1):
            if told[hour]:
                break
            hours.append(hour)
        y, mean = sum(posts[h] for h in hours), sum(means[h] for h in hours)
        most = max(most, y)
        found += likelihoods(y, mean, 1 / scatter, ratios) if hours else [1.0 for _ in ratios]
    nats = math.log(sum(found) / len(found))
    return max(0.0, nats if most >= 3 else min(nats, 2.0))
