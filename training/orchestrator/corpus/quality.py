"""Quality: which texts a corpus keeps, by thresholds; each text that is dropped has one reason.

The thresholds follow the usual rules for web texts (MassiveText, arXiv 2112.11446, appendix A), loosened for
standards, which have tables and formulas.
"""

import re
from collections import Counter
from dataclasses import dataclass

from training.orchestrator.corpus.errors import CorpusError

_WORD = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)?")
_ENGLISH = frozenset(
    _WORD.findall(
        "a about after all also an and any are as at be been before being between both but by can could does each "
        "for from had has have how if into is it its may more most must no not of on one only or other our out "
        "over should so some such than that the their them then there these they this those to under up was were "
        "what when where which while who will with within would you your "
    )
)
"""Words that hold English together; other languages have few of them."""
GRAM = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Quality:
    """The thresholds; CorpusError for one that cannot be."""

    least_characters: int = 200
    least_english: float = 0.15
    """Share of words that are among a hundred which hold English together; running English has about 0.45."""
    least_letters: float = 0.6
    """Share of letters among characters that are not white space."""
    most_repetition: float = 0.4
    """Share of runs of five words that came before in the text."""
    shortest_word: float = 2.5
    longest_word: float = 10.0
    """The mean number of letters in a word lies between these."""

    def __post_init__(self) -> None:
        if self.least_characters < 1:
            raise CorpusError(f"least_characters is {self.least_characters}; it must be at least 1")
        for field in ("least_english", "least_letters", "most_repetition"):
            if not 0.0 <= getattr(self, field) <= 1.0:
                raise CorpusError(f"{field} is {getattr(self, field)}; it must lie in 0..1")
        if not 0.0 <= self.shortest_word < self.longest_word:
            raise CorpusError("shortest_word must be at least 0 and below longest_word")

    def reason(self, text: str) -> str | None:
        """Why a text is dropped, or None where it is kept."""
        if len(text) < self.least_characters:
            return "short"
        words = [word.casefold() for word in _WORD.findall(text)]
        solid = sum(not character.isspace() for character in text)
        if not words or sum(map(len, words)) < self.least_letters * solid:
            return "few letters"
        if not self.shortest_word <= sum(map(len, words)) / len(words) <= self.longest_word:
            return "odd words"
        if english(words) < self.least_english:
            return "not English"
        if repetition(text.split()) > self.most_repetition:
            return "repetition"
        return None


REASONS = ("short", "few letters", "odd words", "not English", "repetition")
"""What `Quality.reason` may say."""


def english(words: list[str]) -> float:
    """The share of words that hold English together."""
    return sum(word in _ENGLISH for word in words) / max(1, len(words))


def repetition(words: list[str]) -> float:
    """The share of runs of GRAM words that came before."""
    runs = Counter(zip(*(words[start:] for start in range(GRAM)), strict=False))
    return 1.0 - len(runs) / max(1, runs.total())
