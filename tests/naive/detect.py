"""Slow, obvious twins of clamor.detect: one number at a time, written from METHOD.md."""

import math

ALONE, EVERYWHERE, NEARBY = 0.5, 0.3, 0.2
REACHED, CAP = 0.8, 3.0


def log_negative_binomial(y, mean, size):
    """Log probability of y under a negative binomial of that mean and size."""
    return (
        math.lgamma(y + size) - math.lgamma(size) - math.lgamma(y + 1)
        + size * math.log(size / (size + mean)) + y * math.log(mean / (size + mean))
    )  # fmt: skip


def likelihood(y, mean, size, ratios):
    """How much likelier y is if the mean is a multiple of the expected one, averaged over multiples."""
    usual = log_negative_binomial(y, mean, size)
    return sum(math.exp(log_negative_binomial(y, r * mean, size) - usual) for r in ratios) / len(ratios)


def odds(likely, service, group):
    """Odds that each series is out, given the likelihoods of the others of its service and its group."""
    said = [math.log(1 - REACHED + REACHED * min(v, math.exp(CAP))) for v in likely]
    out = []
    for i in range(len(likely)):
        everywhere = sum(said[j] for j in range(len(likely)) if j != i and service[j] == service[i])
        nearby = sum(said[j] for j in range(len(likely)) if j != i and group[j] == group[i])
        out.append(ALONE + EVERYWHERE * math.exp(everywhere) + NEARBY * math.exp(nearby))
    return out


def false_share(p_by_bin, at, value):
    """Share of false ones among the tests up to a bin whose p is as small: tests * p / number that small."""
    seen = [p for column in p_by_bin[: at + 1] for p in column]
    shares = [min(len(seen) * q / sum(p <= q for p in seen), 1) for q in seen if q >= value]
    return min(shares)
