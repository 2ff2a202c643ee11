"""What a catalogue has names for: categories and tags, attributes, languages."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from features.word_tokens import word_tokens

# A name that more of the catalogue has is ruled out only by its very words: "no war films" says
# nothing against films.
COMMON = 0.2
NAMES_MOST = 20_000
MATCHES_MOST = 64


@dataclass(frozen=True)
class Vocabulary:
    """names: by how many items have each, greatest first. items: how many there are.

    attributes: the type of each of the catalogue's own attributes that are numbers, int64 or
    double. languages: the codes of its items' languages.
    """

    names: Mapping[str, int]
    items: int
    attributes: Mapping[str, str] = field(default_factory=dict)
    languages: Sequence[str] = ()

    @cached_property
    def _tokens(self) -> dict[str, frozenset[str]]:
        return {name: frozenset(word_tokens(name)) for name in self.names}

    @cached_property
    def _by_token(self) -> dict[str, list[str]]:
        found: dict[str, list[str]] = {}
        for name, tokens in self._tokens.items():
            for token in tokens:
                found.setdefault(token, []).append(name)
        return found

    def named(self, text: str) -> list[str]:
        """Return the names all of whose words a text has, those of most words first."""
        said = frozenset(word_tokens(text))
        whole = [name for name in self._sharing(said) if self._tokens[name] <= said]
        return sorted(whole, key=lambda name: (-len(self._tokens[name]), name))[:MATCHES_MOST]

    def ruled_out(self, phrase: str) -> list[str]:
        """Return the names that a phrase rules out: those with all its words, and those of them.

        "Horror films" rules out "Horror", and "gore" rules out "gore" and "excessive gore".
        """
        said = frozenset(word_tokens(phrase))
        found = [
            name
            for name in self._sharing(said)
            if self._tokens[name] == said
            or (
                (self._tokens[name] <= said or said <= self._tokens[name])
                and self.names[name] <= COMMON * self.items
            )
        ]
        return sorted(found, key=lambda name: (-self.names[name], name))[:MATCHES_MOST]

    def _sharing(self, said: frozenset[str]) -> set[str]:
        """Return the names that share a word with what is said."""
        by_token = self._by_token
        return {name for token in said for name in by_token.get(token, ())}
