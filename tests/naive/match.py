"""The slow, obvious twin of the phrase finder: look for every phrase at every place, keep the outermost."""


def find(folded: str, keys: list[str]) -> list[tuple[int, int]]:
    """Return the spans of the keys in a text that lie in no other span, by end."""
    spans = {(at, at + len(key)) for key in keys for at in range(len(folded)) if folded[at : at + len(key)] == key}
    outer = {(s, e) for s, e in spans if not any((a, b) != (s, e) and a <= s and e <= b for a, b in spans)}
    return sorted(outer, key=lambda span: span[1])
