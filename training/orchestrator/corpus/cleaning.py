"""Cleaning: a read text without what pages, printing and bookkeeping added to it."""

import re
import unicodedata
from collections import Counter

EDGE_LINES = 3
"""Lines at either end of a page that may be headers and footers."""
FEWEST_PAGES = 3
WRAPPED = 40
"""Characters from which a line may go on in the next one."""

_LIGATURES = {code: unicodedata.normalize("NFKC", chr(code)) for code in range(0xFB00, 0xFB07)}
# Zero-width characters, soft hyphens, bidirectional marks, the byte order mark.
_UNSEEN = dict.fromkeys((0xAD, *range(0x200B, 0x2010), *range(0x202A, 0x202F), *range(0x2060, 0x2065), 0xFEFF))
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0e-\x1f\x7f-\x9f]")
_SPACE = re.compile(r"[^\S\n\f]+")
_LEADER = re.compile(r"(?:\.\s?){4,}\s*\d*\s*$|…\s*\d+\s*$")
_CONTENTS = re.compile(r"^#*\s*(?:table of )?contents\s*$", re.IGNORECASE)
_HISTORY = re.compile(r"^#*\s*(?:annex [a-z0-9<>]+\W*(?:\(informative\))?\W*)?change history\b", re.IGNORECASE)
_BROKEN_WORD = re.compile(r"\b(\w*[a-z])-\n([a-z]+)")
_STARTS_ANEW = re.compile(r"[-#|•*>]|\d+[.)]\s|\w\)\s")


def clean(text: str) -> str:
    """A text in NFC without headers and footers, contents, change history, broken words and broken lines."""
    text = normalised(text)
    text = without_change_history(without_contents(without_page_edges(text)))
    return unwrapped(joined_words(text))


def normalised(text: str) -> str:
    """Unicode NFC, no unseen or control characters, one space where there were several."""
    text = text.replace("\r\n", "\n").replace("\r", "\n").replace("\u2028", "\n").replace("\u2029", "\n\n")
    text = unicodedata.normalize("NFC", text.translate(_UNSEEN | _LIGATURES))
    text = _SPACE.sub(" ", _CONTROL.sub("", text.encode("utf-8", "ignore").decode()))
    return re.sub(r" ?([\n\f]) ?", r"\1", text).strip()


def without_page_edges(text: str) -> str:
    """Drop lines at the ends of pages that more than half of the pages have, numbers apart."""
    pages = [[line for line in page.split("\n") if line.strip()] for page in text.split("\f")]
    if len(pages) < FEWEST_PAGES:
        return text.replace("\f", "\n")
    seen = Counter(like for page in pages for like in {_likeness(line) for line in _edges(page)})
    furniture = {like for like, count in seen.items() if 2 * count > len(pages) and count >= FEWEST_PAGES}

    def body(page: list[str]) -> list[str]:
        inner = range(EDGE_LINES, len(page) - EDGE_LINES)
        return [line for place, line in enumerate(page) if place in inner or _likeness(line) not in furniture]

    return "\n".join(line for page in pages for line in body(page))


def _edges(page: list[str]) -> list[str]:
    return page[:EDGE_LINES] + page[-EDGE_LINES:]


def _likeness(line: str) -> str:
    return re.sub(r"\d+", "0", line.strip().casefold())


def without_contents(text: str) -> str:
    """Drop lines of a table of contents, which end in dots and a page number, and its heading."""
    lines = text.split("\n")
    kept: list[str] = []
    for place, line in enumerate(lines):
        following = next((other for other in lines[place + 1 : place + 4] if other.strip()), "")
        if _LEADER.search(line) or (_CONTENTS.match(line) and _LEADER.search(following)):
            continue
        kept.append(line)
    return "\n".join(kept)


def without_change_history(text: str) -> str:
    """Drop a change history in the second half of a text, up to the next heading if there is one."""
    lines = text.split("\n")
    kept: list[str] = []
    position, dropping = 0, False
    for line in lines:
        if _HISTORY.match(line) and 2 * position >= len(text):
            dropping = True
        elif line.startswith("#"):
            dropping = False
        if not dropping:
            kept.append(line)
        position += len(line) + 1
    return "\n".join(kept)


def joined_words(text: str) -> str:
    """Join words that a line's end broke; a hyphen stays where the text has the word with it elsewhere."""
    known = set(re.findall(r"\b\w+-[a-z]+\b", text))

    def join(match: re.Match[str]) -> str:
        hyphened = f"{match[1]}-{match[2]}"
        return hyphened if hyphened in known else match[1] + match[2]

    return _BROKEN_WORD.sub(join, text)


def unwrapped(text: str) -> str:
    """Make one line of what was wrapped, and leave at most one blank line."""
    lines: list[str] = []
    for line in text.split("\n"):
        before = lines[-1] if lines else ""
        goes_on = line[:1].islower() or (line[:1].isalnum() and before[-1:] not in ".:;!?")
        wrapped = len(before) >= WRAPPED and not before.startswith(("#", "|")) and " | " not in before + line
        if line and wrapped and goes_on and not _STARTS_ANEW.match(line):
            lines[-1] = f"{before} {line}"
        elif line or before:
            lines.append(line)
    return "\n".join(lines).strip()
