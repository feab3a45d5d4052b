"""Duplicates: how likely two customers are one person, and who is known to be another (SM19)."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from math import prod
from typing import Final

from crm.errors import ErrorCode, InputError, LimitError, raise_errors
from crm.unit_of_work import UnitOfWork
from db import tables
from db.engine import Session
from db.queries.customers import customers, duplicates
from db.queries.customers.duplicates import DuplicateKeyGroup
from db.rows import new_row
from db.tables.enums import DuplicateKey
from db.values import wire_format
from db.visibility import Visibility

SCORE_WEIGHTS: Final[Mapping[DuplicateKey, float]] = {
    DuplicateKey.EMAIL: 0.95,
    DuplicateKey.PHONE: 0.9,
    DuplicateKey.NAME: 0.5,
}
"""How likely customers who share it are one person."""

MAX_MATCHES: Final = 20
"""Matches that are shown of one customer."""

MAX_DISMISSED_PAIRS: Final = 100
"""Customers who are dismissed at once: each from each other."""


def score(keys: Iterable[DuplicateKey]) -> float:
    """From 0 to 1: each key that is shared takes its part of what doubt the others leave."""
    return round(1 - prod(1 - SCORE_WEIGHTS[key] for key in keys), 4)


@dataclass(frozen=True, slots=True)
class DuplicateMatch:
    """Another customer who may be the same person, and what the two share."""

    customer_id: bytes
    on: tuple[DuplicateKey, ...]
    score: float


async def find_matches(
    session: Session, ids: Sequence[bytes], visibility: Visibility
) -> Mapping[bytes, list[DuplicateMatch]]:
    """For each customer the LIKELIEST others, the likeliest first. Two statements."""
    found = await duplicates.matches(session, ids, visibility)
    everyone = list({one for each in found.values() for one in each} | {one for one, each in found.items() if each})
    held = await duplicates.shared_values(session, everyone) if everyone else {}
    return {one: _likeliest(one, others, held) for one, others in found.items()}


SharedKeys = Mapping[bytes, Mapping[DuplicateKey, frozenset[str]]]


def _likeliest(identifier: bytes, others: Sequence[bytes], held: SharedKeys) -> list[DuplicateMatch]:
    each = []
    for other in others:
        keys = shared_keys([identifier, other], held)
        each.append(DuplicateMatch(other, keys, score(keys)))
    each.sort(key=lambda match: (-match.score, match.customer_id))
    return [match for match in each if match.on][:MAX_MATCHES]


async def keys_of(
    session: Session, groups: Sequence[DuplicateKeyGroup]
) -> Mapping[DuplicateKeyGroup, tuple[DuplicateKey, ...]]:
    """What all of each group's customers share. One statement."""
    everyone = list({one for group in groups for one in group.customer_ids})
    held = await duplicates.shared_values(session, everyone) if everyone else {}
    return {group: shared_keys(group.customer_ids, held) for group in groups}


def shared_keys(ids: Sequence[bytes], held: SharedKeys) -> tuple[DuplicateKey, ...]:
    """The keys by which all of them have a value in common, in declared order."""
    return tuple(
        key
        for key in DuplicateKey
        if frozenset[str].intersection(*(held.get(one, {}).get(key, frozenset()) for one in ids))
    )


# ── dismissing ────────────────────────────────────────────────────────────────────────────────────────────────────────


async def dismiss_pair(unit: UnitOfWork, wire_ids: Sequence[str]) -> int:
    """These are different people, each from each other; how many pairs were not known to be. Raises InputError
    EMPTY_TARGET, NOT_FOUND, INVALID, LimitError."""
    if not wire_ids:
        raise InputError(ErrorCode.EMPTY_TARGET, "Name the customers who are different people.", ("ids",))
    parsed = [wire_format.decode_id("Customer", one) for one in wire_ids]
    wanted = list(dict.fromkeys(one for one in parsed if one is not None))
    if len(wanted) > MAX_DISMISSED_PAIRS:
        message = f"At most {MAX_DISMISSED_PAIRS} customers are told apart at once; these are {len(wanted)}."
        raise LimitError(message, ("ids",), limit=MAX_DISMISSED_PAIRS, current=len(wanted))
    found = await customers.lock_by_ids(unit.transaction, wanted, unit.viewer.visibility) if wanted else {}
    raise_errors(
        [
            InputError(ErrorCode.NOT_FOUND, f"There is no customer “{wire_ids[place]}” here.", ("ids", place))
            for place, one in enumerate(parsed)
            if one is None or one not in found
        ]
    )
    ids = sorted({row.id for row in found.values()})
    if len(ids) < 2:
        raise InputError(ErrorCode.INVALID, "It takes two customers to be different people.", ("ids",))
    return await store_dismissals(unit, list(combinations(ids, 2)))


async def store_dismissals(unit: UnitOfWork, pairs: Iterable[tuple[bytes, bytes]]) -> int:
    """Keeps that each pair, the smaller id first, are two people; how many pairs are new."""
    wanted = dict.fromkeys(pairs)
    ids = list({one for pair in wanted for one in pair})
    known = (
        {(row.first_id, row.second_id) for row in await duplicates.dismissed_pairs(unit.transaction, ids)}
        if ids
        else set()
    )
    new = [pair for pair in wanted if pair not in known]
    await unit.transaction.insert(
        *(
            new_row(tables.DuplicateDismissal, workspace_id=unit.workspace_id, first_id=first, second_id=second)
            for first, second in new
        )
    )
    return len(new)
