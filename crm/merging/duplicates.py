"""Duplicates: the likelihood that two customers are one person, and pairs dismissed as different people (SM19)."""

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
"""For each key the likelihood that customers who share it are one person."""

MAX_MATCHES: Final = 20
"""Maximum number of matches shown for one customer."""

MAX_DISMISSED_PAIRS: Final = 100
"""Maximum number of customers in one dismissal, which dismisses every pair of them."""


def score(keys: Iterable[DuplicateKey]) -> float:
    """The likelihood from 0 to 1. Each shared key reduces the remaining doubt."""
    return round(1 - prod(1 - SCORE_WEIGHTS[key] for key in keys), 4)


@dataclass(frozen=True, slots=True)
class DuplicateMatch:
    """Another customer who may be the same person, and the keys that both share."""

    customer_id: bytes
    on: tuple[DuplicateKey, ...]
    score: float


async def find_matches(
    session: Session, ids: Sequence[bytes], visibility: Visibility
) -> Mapping[bytes, list[DuplicateMatch]]:
    """For each customer at most MAX_MATCHES other customers, the most likely first. Runs two statements."""
    candidates = await duplicates.matches(session, ids, visibility)
    all_ids = list(
        {customer_id for candidate_ids in candidates.values() for customer_id in candidate_ids}
        | {customer_id for customer_id, candidate_ids in candidates.items() if candidate_ids}
    )
    values_by_customer = await duplicates.shared_values(session, all_ids) if all_ids else {}
    return {
        customer_id: _best_matches(customer_id, other_ids, values_by_customer)
        for customer_id, other_ids in candidates.items()
    }


SharedKeys = Mapping[bytes, Mapping[DuplicateKey, frozenset[str]]]


def _best_matches(
    identifier: bytes, other_ids: Sequence[bytes], values_by_customer: SharedKeys
) -> list[DuplicateMatch]:
    matches = []
    for other in other_ids:
        keys = shared_keys([identifier, other], values_by_customer)
        matches.append(DuplicateMatch(other, keys, score(keys)))
    matches.sort(key=lambda match: (-match.score, match.customer_id))
    return [match for match in matches if match.on][:MAX_MATCHES]


async def keys_of(
    session: Session, groups: Sequence[DuplicateKeyGroup]
) -> Mapping[DuplicateKeyGroup, tuple[DuplicateKey, ...]]:
    """The keys that all customers of each group share. Runs one statement."""
    all_ids = list({customer_id for group in groups for customer_id in group.customer_ids})
    values_by_customer = await duplicates.shared_values(session, all_ids) if all_ids else {}
    return {group: shared_keys(group.customer_ids, values_by_customer) for group in groups}


def shared_keys(ids: Sequence[bytes], values_by_customer: SharedKeys) -> tuple[DuplicateKey, ...]:
    """The keys for which all customers have a common value, in declared order."""
    return tuple(
        key
        for key in DuplicateKey
        if frozenset[str].intersection(
            *(values_by_customer.get(customer_id, {}).get(key, frozenset()) for customer_id in ids)
        )
    )


# ── dismissing ────────────────────────────────────────────────────────────────────────────────────────────────────────


async def dismiss_pair(unit: UnitOfWork, wire_ids: Sequence[str]) -> int:
    """Dismisses every pair of the customers as different people; returns the number of new pairs. Raises InputError
    EMPTY_TARGET, NOT_FOUND, INVALID, LimitError."""
    if not wire_ids:
        raise InputError(ErrorCode.EMPTY_TARGET, "Choose the customers who are different people.", ("ids",))
    parsed_ids = [wire_format.decode_id("Customer", identifier) for identifier in wire_ids]
    distinct_ids = list(dict.fromkeys(identifier for identifier in parsed_ids if identifier is not None))
    if len(distinct_ids) > MAX_DISMISSED_PAIRS:
        message = (
            f"You can mark at most {MAX_DISMISSED_PAIRS} customers as different people at once, but you "
            f"selected {len(distinct_ids)}."
        )
        raise LimitError(message, ("ids",), limit=MAX_DISMISSED_PAIRS, current=len(distinct_ids))
    rows = await customers.lock_by_ids(unit.transaction, distinct_ids, unit.viewer.visibility) if distinct_ids else {}
    raise_errors(
        [
            InputError(
                ErrorCode.NOT_FOUND, f"There is no customer “{wire_ids[index]}” in this workspace.", ("ids", index)
            )
            for index, identifier in enumerate(parsed_ids)
            if identifier is None or identifier not in rows
        ]
    )
    ids = sorted({row.id for row in rows.values()})
    if len(ids) < 2:
        raise InputError(ErrorCode.INVALID, "Choose at least two different customers.", ("ids",))
    return await store_dismissals(unit, list(combinations(ids, 2)))


async def store_dismissals(unit: UnitOfWork, pairs: Iterable[tuple[bytes, bytes]]) -> int:
    """Stores the pairs, each with the smaller id first; returns the number of new pairs."""
    distinct_pairs = dict.fromkeys(pairs)
    ids = list({customer_id for pair in distinct_pairs for customer_id in pair})
    stored_pairs = (
        {(row.first_id, row.second_id) for row in await duplicates.dismissed_pairs(unit.transaction, ids)}
        if ids
        else set()
    )
    new_pairs = [pair for pair in distinct_pairs if pair not in stored_pairs]
    await unit.transaction.insert(
        *(
            new_row(tables.DuplicateDismissal, workspace_id=unit.workspace_id, first_id=first, second_id=second)
            for first, second in new_pairs
        )
    )
    return len(new_pairs)
