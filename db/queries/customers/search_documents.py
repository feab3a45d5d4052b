"""The search documents of customers."""

from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Any

from sqlmodel import col, select

from db import tables
from db.engine import Session
from db.filtering.search import SEARCH_SECTIONS
from db.statements import any_of, in_workspace, prepare
from db.values.folding import fold

# Country calling codes with two digits (E.164). 1 and 7 have one digit, all others three.
_TWO_DIGITS = frozenset({
    "20", "27", "30", "31", "32", "33", "34", "36", "39", "40", "41", "43", "44", "45", "46", "47", "48", "49", "51",
    "52", "53", "54", "55", "56", "57", "58", "60", "61", "62", "63", "64", "65", "66", "81", "82", "84", "86", "90",
    "91", "92", "93", "94", "95", "98",
})  # fmt: skip


def build_document(
    *,
    names: Sequence[str | None],
    emails: Iterable[str] = (),
    phones: Iterable[str] = (),
    company: str | None = None,
    external_ids: Iterable[str] = (),
    address: Iterable[str | None] = (),
    tags: Iterable[str] = (),
    notes: Iterable[str] = (),
    values: Iterable[str] = (),
) -> str:
    """All searched texts of a customer (SM8), folded: one section per SEARCH_SECTIONS entry, one line per value.

    `names` are name, nickname and real name. `phones` are in E.164 and give two lines each, because people type a
    number both ways: 84901234567 and 0901234567. `tags` are names, `notes` texts, `values` the texts of custom fields.
    Each may already be folded: folding twice changes nothing.
    """
    name, nickname, real_name = names
    sections: Mapping[str, Iterable[str | None]] = {
        "NAME": (name,),
        "NICKNAME": (nickname,),
        "REAL_NAME": (real_name,),
        "EMAIL": emails,
        "COMPANY": (company,),
        "EXTERNAL_ID": external_ids,
        "ADDRESS": address,
        "TAG": tags,
        "NOTE": notes,
        "CUSTOM_FIELD": values,
        "PHONE": section_lines(phones),
    }
    return "".join(mark + _lines(sections[name]) for name, mark in SEARCH_SECTIONS.items())


def revise_document(document: str, sections: Mapping[str, Iterable[str | None]]) -> str:
    """The document with new values in these sections."""
    for name, texts in sections.items():
        mark, behind = SEARCH_SECTIONS[name], _BEHIND[name]
        start = document.find(mark) + 1
        if start:
            end = document.find(behind, start) if behind else -1
            document = document[:start] + _lines(texts) + (document[end:] if end >= 0 else "")
    return document


def is_complete(document: str) -> bool:
    """Whether the document has all sections. A text from elsewhere may lack them."""
    return document.startswith(_FIRST) and _LAST in document


_FIRST, *_, _LAST = SEARCH_SECTIONS.values()
_BEHIND: Mapping[str, str | None] = dict(zip(SEARCH_SECTIONS, [*list(SEARCH_SECTIONS.values())[1:], None], strict=True))
"""The mark that ends a section: the mark of the next one."""


def section_lines(phones: Iterable[str]) -> list[str]:
    """Phone numbers in E.164 as the document contains them."""
    return [line for phone in phones for line in (phone[1:], national_number(phone))]


def _lines(texts: Iterable[str | None]) -> str:
    return "\n".join(_folded(text) for text in texts if text)


# Cached: tags, cities and companies repeat.
_folded = lru_cache(maxsize=10_000)(fold)


def national_number(phone: str) -> str:
    """A number in E.164 as it is dialled nationally: +84901234567 as 0901234567."""
    if phone[1] in "17":
        return "0" + phone[2:]
    return "0" + phone[3 if phone[1:3] in _TWO_DIGITS else 4 :]


async def build_documents(session: Session, ids: Sequence[bytes]) -> Mapping[bytes, Any]:
    """The `document`, and those columns of the customer's row that can be shown as typed."""
    return {row.id: row for row in await session.fetch_all(_DOCUMENTS, ids=ids)}


CUSTOM_VALUE_SECTION = (
    "name", "nickname", "real_name", "email", "address_line1", "address_line2", "city", "region", "postal_code",
    "country",
)  # fmt: skip

_DOCUMENTS = prepare(
    select(
        tables.Customer.id,
        col(tables.CustomerSearch.text).label("document"),
        *(getattr(tables.Customer, name) for name in CUSTOM_VALUE_SECTION),
    )
    .join(tables.CustomerSearch, col(tables.CustomerSearch.customer_id) == tables.Customer.id)
    .where(in_workspace(tables.Customer, tables.CustomerSearch), any_of(tables.Customer.id, "ids"))
)

_TEXTS = prepare(
    select(tables.CustomerSearch).where(
        in_workspace(tables.CustomerSearch), any_of(tables.CustomerSearch.customer_id, "ids")
    )
)


async def documents_by_customer(session: Session, ids: Sequence[bytes]) -> Mapping[bytes, str]:
    """The document of each customer."""
    return {row.customer_id: row.text for row in await session.fetch_all(_TEXTS, ids=ids)}
