"""Search of customers: parses the words and finds them in the search documents.

The document of a customer contains all searched texts (SM8), folded: one section per SEARCH_SECTIONS entry, in that
order, each with its own mark and one line per value. The marks are white space, which folded text contains only as
blanks.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from sqlalchemy import (
    Boolean,
    ColumnElement,
    Text,
    and_,
    bindparam,
    case,
    column,
    func,
    literal,
    literal_column,
    or_,
    select,
    table,
    true,
)
from sqlalchemy.orm import aliased

from db import tables
from db.filtering.compiler import ConditionCompiler
from db.filtering.errors import QueryError, limit_exceeded
from db.filtering.operators import escape_like
from db.filtering.sqlite_hints import ForcedJoinOrder
from db.statements import in_workspace
from db.values.folding import digits_of, fold

MAX_SEARCH_LENGTH: Final = 200
"""Characters of a search."""

# Phone numbers come last, so that the text before them can be separated.
SEARCH_SECTIONS: Final[dict[str, str]] = {
    "NAME": "\t",
    "NICKNAME": "\v",
    "REAL_NAME": "\f",
    "EMAIL": "\r",
    "COMPANY": "\x1c",
    "EXTERNAL_ID": "\x1d",
    "ADDRESS": "\x1e",
    "TAG": "\x1f",
    "NOTE": "\x85",
    "CUSTOM_FIELD": "\u2028",
    "PHONE": "\u2029",
}
_NAMES: Final = tuple(SEARCH_SECTIONS)

# Punctuation that is removed from numbers.
_MARKS: Final = frozenset("+-.()/ ")
_DIALLED: Final = 3
"""Digits that a number needs to be searched among phone numbers."""

_GRAM: Final = 3
"""Letters that the index needs; shorter words are compared row by row."""


@dataclass(frozen=True, slots=True)
class SearchWord:
    """One folded word. `number` is its digits if it may be a phone number; `phones` is false for a few digits, which
    every number contains."""

    text: str
    number: str | None
    phones: bool


@dataclass(frozen=True, slots=True)
class Search:
    """Every word occurs in one of the sections, or the whole text is one phone number, `number`."""

    words: tuple[SearchWord, ...]
    text: str
    number: str | None = None
    sections: tuple[str, ...] | None = None
    prefix: str = ""
    """Separates the parameters of several searches in one statement."""
    is_only_workspace: bool = False
    """True if no other workspace has documents in SQLite's full-text table."""

    @property
    def cache_key(self) -> tuple[Any, ...]:
        words = tuple((word.number is not None, word.phones) for word in self.words)
        return (words, self.number is not None, self.sections, self.indexed, self.prefix)

    @property
    def indexed(self) -> tuple[int, ...]:
        """The words that are long enough for the index."""
        return tuple(place for place, word in enumerate(self.words) if len(word.text) >= _GRAM)

    def parameters(self, workspace_id: int) -> dict[str, Any]:
        found: dict[str, Any] = {"whole": self.text}
        for place, word in enumerate(self.words):
            found |= {f"w{place}": word.text, f"l{place}": like_pattern(word.text)}
            if word.number is not None:
                found |= {f"n{place}": word.number, f"m{place}": like_pattern(word.number)}
        if self.number is not None:
            found |= {"number": self.number, "number_like": like_pattern(self.number)}
        found["matched"] = _matched(self, workspace_id)
        return {f"{self.prefix}{name}": value for name, value in found.items()} if self.prefix else found


def parse_search(text: str | None, sections: Sequence[str] | None = None) -> Search | None:
    """Parses a search text; None without words. Raises QueryError."""
    if text is None:
        return None
    if len(text) > MAX_SEARCH_LENGTH:
        raise limit_exceeded(
            f"A search has at most {MAX_SEARCH_LENGTH} characters, not {len(text)}.", ("search",), MAX_SEARCH_LENGTH
        )
    if "\0" in text:
        raise QueryError("INVALID", "The search holds a character that no text has.", ("search",))
    texts = list(dict.fromkeys(fold(text).split()))
    if not texts:
        return None
    number = _number(text) if len(texts) > 1 else None
    # A number in several parts is searched as a whole among phone numbers, and in parts elsewhere.
    words = tuple(_word(one) if number is None else SearchWord(one, None, phones=False) for one in texts)
    chosen = None if sections is None else tuple(name for name in _NAMES if name in sections)
    return Search(words, fold(text), number, chosen)


def combine_searches(one: Search | None, other: Search | None, prefix: str = "") -> Search | None:
    """A search that requires the words of both."""
    if one is None or other is None:
        found = one or other
        return found and replace(found, prefix=prefix)
    words = tuple(dict.fromkeys(one.words + other.words))
    return Search(words, f"{one.text} {other.text}", sections=other.sections, prefix=prefix)


def like_pattern(text: str) -> str:
    return f"%{escape_like(text)}%"


def _word(text: str) -> SearchWord:
    number = _number(text)
    few = text.isascii() and text.isdecimal() and len(text) < _DIALLED
    return SearchWord(text, number if number != text else None, not few)


def _number(text: str) -> str | None:
    """The digits of a text that may be a phone number."""
    found = digits_of(text)
    return found if len(found) >= _DIALLED and all(one in _MARKS or one.isdigit() for one in text) else None


# ── conditions ────────────────────────────────────────────────────────────────────────────────────────────────────────


def matches_search(
    found: Search, writer: ConditionCompiler, text: Any, *, known: Sequence[int] = ()
) -> ColumnElement[bool]:
    """The document `text` contains every word in the selected sections. The `known` words are tested elsewhere."""
    places = [place for place in range(len(found.words)) if place not in known]
    says = and_(true(), *(_holds(found, writer, text, place) for place in places))
    if found.number is None:
        return says
    return or_(says, *_occurs(found, writer, text, "number", phones=True))


def _holds(found: Search, writer: ConditionCompiler, text: Any, place: int) -> ColumnElement[bool]:
    word = found.words[place]
    says = _occurs(found, writer, text, f"w{place}", phones=word.phones)
    if word.number is not None:
        says += _occurs(found, writer, text, f"n{place}", phones=True)
    return or_(*says)


def _occurs(
    found: Search, writer: ConditionCompiler, text: Any, name: str, *, phones: bool
) -> list[ColumnElement[bool]]:
    value = _parameter(found, name)
    if found.sections is None:
        return [writer.contains(text if phones else _before(writer, text, "PHONE"), value)]
    asked = [section for section in found.sections if phones or section != "PHONE"]
    return [writer.contains(_section(writer, text, section), value) for section in asked] or [
        literal_column("1 = 0", Boolean())
    ]


def _parameter(found: Search, name: str) -> Any:
    return bindparam(found.prefix + name, type_=Text())


def _before(writer: ConditionCompiler, text: Any, section: str) -> Any:
    return func.substr(text, _int(1), writer.text_position(text, _mark(section)) - _int(1), type_=Text())


def _section(writer: ConditionCompiler, text: Any, section: str) -> Any:
    begin = writer.text_position(text, _mark(section)) + _int(1)
    if section == _NAMES[-1]:
        return func.substr(text, begin, type_=Text())
    end = writer.text_position(text, _mark(_NAMES[_NAMES.index(section) + 1]))
    return func.substr(text, begin, end - begin, type_=Text())


def _mark(section: str) -> Any:
    return literal(SEARCH_SECTIONS[section], type_=Text())


def _int(number: int) -> Any:
    return literal_column(str(number))


def without_index(found: Search, writer: ConditionCompiler, row: Any) -> ColumnElement[bool]:
    """For lists in whose order matches are frequent: tests the document of each customer."""
    document: Any = aliased(tables.CustomerSearch)
    return (
        select(_int(1))
        .where(in_workspace(document), document.customer_id == row.id, matches_search(found, writer, document.text))
        .exists()
    )


def ids_by_index(found: Search, writer: ConditionCompiler, dialect: str) -> Any:
    """The ids of all matching customers, from the trigram index."""
    if dialect == "sqlite":
        return _by_fts(found, writer)
    document: Any = aliased(tables.CustomerSearch)
    likes = and_(*(or_(*(_like(found, document, name) for name in names)) for names in _likes(found)))
    if found.number is not None:
        likes = or_(likes, _like(found, document, "number_like"))
    # LIKE is equivalent if the whole document is searched.
    whole = found.number is None and found.sections is None
    known = [place for place in found.indexed if whole and found.words[place].phones]
    says = matches_search(found, writer, document.text, known=known)
    return select(document.customer_id).where(in_workspace(document), likes, says)


def _like(found: Search, document: Any, name: str) -> ColumnElement[bool]:
    says: ColumnElement[bool] = document.text.like(_parameter(found, name), escape="\\")
    return says


def _likes(found: Search) -> list[list[str]]:
    return [[f"l{place}"] + [f"m{place}"] * (found.words[place].number is not None) for place in found.indexed]


def _by_fts(found: Search, writer: ConditionCompiler) -> Any:
    document: Any = aliased(tables.CustomerSearch, name="document")
    grams = (
        select(_FTS.c.rowid.label("number"))
        .where(literal_column("customer_text") == _parameter(found, "matched"))
        .subquery("grams")
    )
    numbered = ForcedJoinOrder(grams, document, literal_column("document.number") == grams.c.number)
    return (
        select(document.customer_id)
        .select_from(numbered)
        .where(in_workspace(document), matches_search(found, writer, document.text))
    )


# SQLite's full-text table. Its rows are those of `customer_search`, by number.
_FTS = table("customer_text", column("rowid"))


def _matched(found: Search, workspace_id: int) -> str:
    """The query of the full-text table: the trigrams of each word and of the workspace's mark."""
    words = [found.words[place] for place in found.indexed]
    texts = [" OR ".join(_grams(one) for one in (word.text, word.number) if one is not None) for word in words]
    asked = " AND ".join(f"({text})" for text in texts)
    if found.number is not None:
        asked = f"({asked}) OR {_grams(found.number)}"
    # The posting list of the workspace's mark is long.
    within = "" if found.is_only_workspace else f"workspace : {_grams(f'<{workspace_id:x}>')} AND "
    return f"{within}text : ({asked})"


def _grams(text: str) -> str:
    """Adjacent trigrams, plus the last one. Overlapping trigrams add little selectivity, and each is a long list. The
    documents are compared afterwards."""
    last = len(text) - _GRAM
    grams = dict.fromkeys(text[place : place + _GRAM] for place in [*range(0, last, _GRAM), last])
    quoted = ['"' + gram.replace('"', '""') + '"' for gram in grams]
    return f"({' AND '.join(quoted)})"


# ── relevance ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def relevance_rank(found: Search, writer: ConditionCompiler, row: Any) -> Any:
    """5: the name equals the search. 4: it starts with it. 3: all words are in the name. 2: in one of the names. 1: in
    the primary address. 0: elsewhere."""
    whole = _parameter(found, "whole")
    words = [_parameter(found, f"w{place}") for place in range(len(found.words))]

    def all_in(text: Any) -> ColumnElement[bool]:
        return and_(*(writer.contains(text, word) for word in words))

    return case(
        (row.name_key == whole, _int(5)),
        (writer.text_position(row.name_key, whole) == _int(1), _int(4)),
        (all_in(row.name_key), _int(3)),
        (or_(all_in(row.nickname_key), all_in(row.real_name_key)), _int(2)),
        (all_in(row.email_key), _int(1)),
        else_=_int(0),
    )
