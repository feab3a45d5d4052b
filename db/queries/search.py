"""The text that a search for customers looks through."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sqlmodel import col, select

from db import tables
from db.engine import Session
from db.filtering.search import SECTIONS
from db.folding import fold
from db.reading import among, here, prepared

# Country calling codes of two digits (E.164); 1 and 7 have one, all others three.
_TWO_DIGITS = frozenset({
    "20", "27", "30", "31", "32", "33", "34", "36", "39", "40", "41", "43", "44", "45", "46", "47", "48", "49", "51",
    "52", "53", "54", "55", "56", "57", "58", "60", "61", "62", "63", "64", "65", "66", "81", "82", "84", "86", "90",
    "91", "92", "93", "94", "95", "98",
})  # fmt: skip


def document(
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
    """All that a customer is found by (SM8), folded: a section for each of SECTIONS, one line a value.

    `names` are the name, the nickname and the real name; `phones` are in E.164 and give two lines each, for people
    type a number both ways: 84901234567 and 0901234567. `tags` are names, `notes` bodies, `values` the texts of custom
    fields. Any of them may come folded already: folding twice changes nothing.
    """
    name, nickname, real_name = names
    return _joined(
        NAME=(name,),
        NICKNAME=(nickname,),
        REAL_NAME=(real_name,),
        EMAIL=emails,
        COMPANY=(company,),
        EXTERNAL_ID=external_ids,
        ADDRESS=address,
        TAG=tags,
        NOTE=notes,
        CUSTOM_FIELD=values,
        PHONE=[line for phone in phones for line in (phone[1:], national(phone))],
    )


def _joined(**sections: Iterable[str | None]) -> str:
    return "".join(mark + "\n".join(fold(text) for text in sections[name] if text) for name, mark in SECTIONS.items())


def national(phone: str) -> str:
    """A number in E.164 as it is dialled at home: +84901234567 as 0901234567."""
    if phone[1] in "17":
        return "0" + phone[2:]
    return "0" + phone[3 if phone[1:3] in _TWO_DIGITS else 4 :]


async def documents(session: Session, ids: Sequence[bytes]) -> Mapping[bytes, Any]:
    """What customers are found by: the `document`, and beside it what of their own row can be shown as it was typed."""
    return {row.id: row for row in await session.rows(_DOCUMENTS, ids=ids)}


TYPED = (
    "name", "nickname", "real_name", "email", "address_line1", "address_line2", "city", "region", "postal_code",
    "country",
)  # fmt: skip

_DOCUMENTS = prepared(
    select(
        tables.Customer.id,
        col(tables.CustomerSearch.text).label("document"),
        *(getattr(tables.Customer, name) for name in TYPED),
    )
    .join(tables.CustomerSearch, col(tables.CustomerSearch.customer_id) == tables.Customer.id)
    .where(here(tables.Customer, tables.CustomerSearch), among(tables.Customer.id, "ids"))
)
