"""The text that a search for customers looks through."""

from collections.abc import Iterable

from db.folding import fold

# Country calling codes of two digits (E.164); 1 and 7 have one, all others three.
_TWO_DIGITS = frozenset({
    "20", "27", "30", "31", "32", "33", "34", "36", "39", "40", "41", "43", "44", "45", "46", "47", "48", "49", "51",
    "52", "53", "54", "55", "56", "57", "58", "60", "61", "62", "63", "64", "65", "66", "81", "82", "84", "86", "90",
    "91", "92", "93", "94", "95", "98",
})  # fmt: skip


def document(
    *,
    names: Iterable[str | None],
    emails: Iterable[str] = (),
    phones: Iterable[str] = (),
    company: str | None = None,
    external_ids: Iterable[str] = (),
    address: Iterable[str | None] = (),
    tags: Iterable[str] = (),
    notes: Iterable[str] = (),
    values: Iterable[str] = (),
) -> str:
    """All that a customer is found by (SM8), folded, one line a value.

    `names` are the name, the nickname and the real name; `phones` are in E.164 and give two lines each, for people
    type a number both ways: 84901234567 and 0901234567. `tags` are names, `notes` bodies, `values` the texts of custom
    fields. Any of them may come folded already: folding twice changes nothing.
    """
    lines = [fold(text) for text in names if text]
    lines += map(fold, emails)
    for phone in phones:
        lines += (phone[1:], national(phone))
    if company:
        lines.append(fold(company))
    lines += map(fold, external_ids)
    lines += [fold(text) for text in address if text]
    lines += map(fold, tags)
    lines += map(fold, notes)
    lines += map(fold, values)
    return "\n".join(lines)


def national(phone: str) -> str:
    """A number in E.164 as it is dialled at home: +84901234567 as 0901234567."""
    if phone[1] in "17":
        return "0" + phone[2:]
    return "0" + phone[3 if phone[1:3] in _TWO_DIGITS else 4 :]
