"""Highlights: the text in which a search matched."""

from collections.abc import Iterator, Sequence
from typing import Any

from db.filtering.search import SEARCH_SECTIONS, Search
from db.queries.customers import search_documents
from db.values.folding import fold
from graph.context import Context

OPEN, CLOSE = "«", "»"

# Characters around the first match in a long text.
_AROUND = 60


async def load_highlights(context: Context, edges: Sequence[Any]) -> list[str | None]:
    """For each edge, the value that contains the most words of the search; null without a search."""
    sought = [edge.node.id for edge in edges if edge.search is not None]
    if not sought:
        return [None for _ in edges]
    found = await context.load(search_documents.build_documents, sought)
    return [None if edge.search is None else _best(edge.search, found.get(edge.node.id)) for edge in edges]


def _best(sought: Search, found: Any) -> str | None:
    if found is None:
        return None
    typed = {
        fold(value): value for column in search_documents.CUSTOM_VALUE_SECTION if (value := getattr(found, column))
    }
    words = [part for word in sought.words for part in (word.text, word.number) if part is not None]
    lines = enumerate(_lines(sought, found.document))
    hits, _, line = max(
        ((sum(word in line for word in words), -place, line) for place, line in lines), default=(0, 0, "")
    )
    return mark_matches(typed.get(line, line), words) if hits else None


def _lines(found: Search, document: str) -> Iterator[str]:
    """The values in the searched sections."""
    sections = []
    for name, mark in reversed(SEARCH_SECTIONS.items()):
        document, _, section = document.rpartition(mark)
        if found.sections is None or name in found.sections:
            sections.append(section)
    for section in reversed(sections):
        yield from (line for line in section.split("\n") if line)


def mark_matches(text: str, words: Sequence[str]) -> str:
    """Marks every word in the text, ignoring case and accents. A long text is shortened around the words."""
    folded, places = _folded(text)
    spans = sorted(span for word in words for span in _spans(folded, places, word, len(text)))
    if not spans:
        return text[: 2 * _AROUND]
    first, last = max(spans[0][0] - _AROUND, 0), spans[0][1] + _AROUND
    shown, done = "…" if first else "", first
    for begin, end in spans:
        if end <= done or end > last:
            continue
        begin = max(begin, done)
        shown += text[done:begin] + OPEN + text[begin:end] + CLOSE
        done = end
    return shown + text[done:last] + ("…" if last < len(text) else "")


def _folded(text: str) -> tuple[str, list[int]]:
    """The text folded letter by letter, with the original index of each folded letter."""
    folded, places = "", []
    for place, letter in enumerate(text):
        part = " " if letter.isspace() else fold(letter)
        folded += part
        places += [place] * len(part)
    return folded, places


def _spans(folded: str, places: Sequence[int], word: str, length: int) -> Iterator[tuple[int, int]]:
    begin = folded.find(word)
    while begin >= 0:
        end = begin + len(word)
        yield places[begin], places[end] if end < len(places) else length
        begin = folded.find(word, end)
