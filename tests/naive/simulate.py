"""Slow and obvious twins of clamor.simulate: a post at a time, no index, no columns."""

from clamor.simulate.atlas import CODES
from clamor.simulate.index import fold, tokens
from clamor.simulate.query import Group, Leaf, parse
from clamor.simulate.world import World


def matching_seconds(world: World, query: str) -> list[int]:
    """Return the seconds of all posts that match, by asking every post the whole query."""
    node = parse(query)
    seconds = []
    for block in world.posts:
        for i in range(len(block)):
            text = world.texts.texts[block.text[i]]
            place = CODES[block.country[i]] if block.geotagged[i] else None
            if _matches(node, text, world.texts.tag(int(block.text[i])), place, bool(block.retweet[i])):
                seconds.append(int(block.second[i]))
    return sorted(seconds)


def _matches(node: Group | Leaf, text: str, lang: str, place: str | None, retweet: bool) -> bool:
    if isinstance(node, Group):
        answers = [_matches(child, text, lang, place, retweet) for child in node.nodes]
        return all(answers) if node.how == "all" else any(answers)
    return _leaf(node, text, lang, place, retweet) != node.negated


def _leaf(leaf: Leaf, text: str, lang: str, place: str | None, retweet: bool) -> bool:
    if leaf.kind == "lang":
        return lang == leaf.value
    if leaf.kind == "place_country":
        return place == leaf.value
    if leaf.kind == "has":
        return place is not None
    if leaf.kind == "is":
        return leaf.value == "retweet" and retweet
    wanted = fold(leaf.value)
    if leaf.kind in "#@":
        return leaf.kind + wanted in fold(text).split()
    if not wanted.isascii():
        return wanted in fold(text)
    words, inside = tokens(wanted), tokens(fold(text))
    return any(inside[at : at + len(words)] == words for at in range(len(inside)))
