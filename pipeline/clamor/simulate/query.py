"""X's query language: parsed, checked as X checks it, and evaluated over the world's table of texts.

Words, "phrases", OR, parentheses, ``-`` and the operators below; AND binds before OR. See
https://docs.x.com/x-api/posts/search/integrate/build-a-query and .../operators.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

MAX_LENGTH: Final = 512
"""Characters of a query for self-serve accounts (docs.x.com, build a query)."""
STANDALONE: Final = frozenset({"word", "phrase", "#", "@", "from", "place_country", "place"})
"""Kinds that may stand alone; the others need one of these beside them."""
OPERATORS: Final = frozenset({"from", "place_country", "place", "lang", "has", "is"})
_VALUES: Final = {
    "has": frozenset({"geo", "links", "hashtags", "mentions", "media"}),
    "is": frozenset({"retweet", "reply", "quote"}),
}


class QueryError(Exception):
    """A query that X would refuse; the message is X's kind of message."""


@dataclass(frozen=True, slots=True)
class Leaf:
    """One word, phrase or operator. Kind is word, phrase, #, @ or an operator's name."""

    kind: str
    value: str
    negated: bool = False


@dataclass(frozen=True, slots=True)
class Group:
    """Nodes that must all match (``all``) or of which one must (``any``)."""

    how: str
    nodes: tuple["Node", ...]


Node = Leaf | Group

_TOKEN: Final = re.compile(
    r"""\s*(?:(?P<open>\()|(?P<close>\))|(?P<minus>-(?=[^\s]))"""
    r"""|(?P<operator>[a-z_]+):(?:"(?P<quoted>[^"]*)"|(?P<value>[^\s()"]+))"""
    r"""|"(?P<phrase>[^"]*)"|(?P<word>[^\s()"]+))"""
)


def parse(query: str) -> Node:
    """Parse a query and check X's rules.

    Raises:
        QueryError: the query is empty, too long, malformed, uses an unknown operator or has no standalone term.

    """
    if not 1 <= len(query) <= MAX_LENGTH:
        raise QueryError(f"query: size must be between 1 and {MAX_LENGTH} (was {len(query)})")
    tokens = _tokens(query)
    node, rest = _any(tokens, 0)
    if rest != len(tokens):
        raise QueryError(f"extraneous input '{tokens[rest][1]}' (at position {tokens[rest][2] + 1})")
    if not _standalone(node):
        raise QueryError(
            "Rule must contain at least one positive, non-conjunction-required operator in every alternative "
            "(at position 1)"
        )
    return node


_Token = tuple[str, str, int]


def _tokens(query: str) -> list[_Token]:
    tokens: list[_Token] = []
    at = 0
    while query[at:].strip():
        found = _TOKEN.match(query, at)
        if found is None:
            raise QueryError(f"no viable alternative at input '{query[at:].strip()[:20]}' (at position {at + 1})")
        kind = found.lastgroup or ""
        if kind in ("quoted", "value"):
            tokens.append((f"{found['operator']}:", found[kind], found.start()))
        else:
            tokens.append((kind, found[kind], found.start(kind)))
        at = found.end()
    return tokens


def _any(tokens: Sequence[_Token], at: int) -> tuple[Node, int]:
    nodes = []
    while True:
        node, at = _all(tokens, at)
        nodes.append(node)
        if at >= len(tokens) or tokens[at][:2] != ("word", "OR"):
            return (nodes[0] if len(nodes) == 1 else Group("any", tuple(nodes))), at
        at += 1


def _all(tokens: Sequence[_Token], at: int) -> tuple[Node, int]:
    nodes: list[Node] = []
    while at < len(tokens) and tokens[at][0] != "close" and tokens[at][:2] != ("word", "OR"):
        node, at = _one(tokens, at)
        nodes.append(node)
    if not nodes:
        where = tokens[at][2] + 1 if at < len(tokens) else "the end"
        raise QueryError(f"missing a clause (at position {where})")
    return (nodes[0] if len(nodes) == 1 else Group("all", tuple(nodes))), at


def _one(tokens: Sequence[_Token], at: int) -> tuple[Node, int]:
    kind, value, position = tokens[at]
    if kind == "minus":
        node, after = _one(tokens, at + 1) if at + 1 < len(tokens) else (None, at)
        if not isinstance(node, Leaf) or node.negated:
            raise QueryError(f"Negation of a group is not supported (at position {position + 1})")
        return Leaf(node.kind, node.value, negated=True), after
    if kind == "open":
        group, after = _any(tokens, at + 1)
        if after >= len(tokens) or tokens[after][0] != "close":
            raise QueryError(f"missing ')' for '(' (at position {position + 1})")
        return group, after + 1
    return _leaf(kind, value, position), at + 1


def _leaf(kind: str, value: str, position: int) -> Leaf:
    if kind.endswith(":"):
        return _operator(kind[:-1], value, position)
    if kind == "phrase":
        if not value.strip():
            raise QueryError(f"empty phrase (at position {position + 1})")
        return Leaf("phrase", value)
    if value in ("AND", "and"):
        raise QueryError(
            f'Ambiguous use of {value} as a keyword. Use a space to logically join two clauses, or "{value}" to '
            f"find occurrences of {value} in text (at position {position + 1})"
        )
    if value[0] in "#@" and len(value) > 1:
        return Leaf(value[0], value[1:])
    return Leaf("word", value)


def _operator(name: str, value: str, position: int) -> Leaf:
    if name not in OPERATORS:
        raise QueryError(
            f"Reference to invalid operator '{name}'. Operator is not available in current product or product "
            f"packaging. Please refer to complete available operator list at http://t.co/operators. "
            f"(at position {position + 1})"
        )
    known = _VALUES.get(name)
    if known is not None and value not in known:
        raise QueryError(f"Reference to invalid field '{name}:{value}' (at position {position + 1})")
    if name == "place_country" and not re.fullmatch(r"[A-Za-z]{2}", value):
        raise QueryError(f"Invalid country code '{value}' for place_country (at position {position + 1})")
    return Leaf(name, value)


def _standalone(node: Node) -> bool:
    """Return whether every way to match contains a positive standalone term."""
    if isinstance(node, Leaf):
        return node.kind in STANDALONE and not node.negated
    checks: Iterable[bool] = (_standalone(child) for child in node.nodes)
    return any(checks) if node.how == "all" else all(checks)


def leaves(node: Node) -> list[Leaf]:
    """Return all leaves of a query."""
    if isinstance(node, Leaf):
        return [node]
    return [leaf for child in node.nodes for leaf in leaves(child)]
