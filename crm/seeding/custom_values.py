"""Values of custom fields: two per customer on average, each in the column of its type."""

from collections.abc import Callable
from typing import Any

from crm.seeding import log_values
from crm.seeding.custom_fields import INTERESTS, TIERS
from crm.seeding.customer_draft import CustomerDraft
from crm.seeding.people import date_text, fold_cached
from crm.seeding.plan import SeedPlan
from crm.seeding.random_source import RandomSource
from crm.seeding.rows import ChunkRows
from db import tables
from db.values.time_units import MS_PER_DAY

_PREFERENCES = (
    "Thích màu đỏ, giao buổi chiều.",
    "Non ama le telefonate; caffè senza zucchero.",
    "Suka warna biru, kirim ke kantor.",
    "Vegetarian; allergic to peanuts.",
    "Luôn hỏi hàng Đà Nẵng trước.",
    "Preferisce prodotti a chilometro zero, già dal 2019.",
    "Minta bungkus kado setiap kali.",
    "Pays by bank transfer only.",
)

_Cells = tuple[Any, ...]
"""text, text_key, text_folded, number, boolean, date, date_time, option, unique_key."""
_GeneratedValue = tuple[Any, list[_Cells]]
"""The value as clients see it, and its rows in order."""


def add_custom_values(customer: CustomerDraft, source: RandomSource, plan: SeedPlan, rows: ChunkRows) -> None:
    """Adds the rows, and the customer's log fields and searched texts."""
    for name, probability, maker in _MAKERS:
        if source.random() < probability and name in plan.field_ids:
            value, value_rows = maker(customer, source, plan)
            customer.logged_fields.append((f"custom.{name}", value))
            for position, cells in enumerate(value_rows):
                rows.rows_of(tables.CustomerValue).append(
                    (rows.workspace_id, customer.id, plan.field_ids[name], position, *cells)
                )
                if cells[2]:
                    customer.searched_values.append(cells[2])


def _text(text: str, folded: str, unique: str | None = None) -> _GeneratedValue:
    return text, [(text, folded, folded, None, None, None, None, None, unique)]


def _loyalty_number(customer: CustomerDraft, source: RandomSource, plan: SeedPlan) -> _GeneratedValue:
    text = f"LN{plan.seed}-{customer.number:07}"
    return _text(text, text.lower(), text.lower())


def _preferences(customer: CustomerDraft, source: RandomSource, plan: SeedPlan) -> _GeneratedValue:
    text = source.pick(_PREFERENCES)
    return _text(text, fold_cached(text))


def _points(customer: CustomerDraft, source: RandomSource, plan: SeedPlan) -> _GeneratedValue:
    points = int(source.lognormal(5, 1.4))
    return points, [(None, None, None, float(points), None, None, None, None, None)]


def _wants_gift(customer: CustomerDraft, source: RandomSource, plan: SeedPlan) -> _GeneratedValue:
    wants_gift = source.random() < 0.7
    return wants_gift, [(None, None, None, None, wants_gift, None, None, None, None)]


def _anniversary(customer: CustomerDraft, source: RandomSource, plan: SeedPlan) -> _GeneratedValue:
    date = date_text(plan.until // MS_PER_DAY - int(source.random() * 40 * 365))
    return date, [(None, None, None, None, None, date, None, None, None)]


def _next_visit(customer: CustomerDraft, source: RandomSource, plan: SeedPlan) -> _GeneratedValue:
    """On the half hour, within the next two months."""
    visit_time = plan.until + int(source.random() * 60 * 48) * 1_800_000
    return log_values.format_time(visit_time), [(None, None, None, None, None, None, visit_time, None, None)]


def _tier(customer: CustomerDraft, source: RandomSource, plan: SeedPlan) -> _GeneratedValue:
    tier = source.pick_early(TIERS)
    return tier, [(None, fold_cached(tier), None, None, None, None, None, tier, None)]


def _interests(customer: CustomerDraft, source: RandomSource, plan: SeedPlan) -> _GeneratedValue:
    first_index = int(source.random() * len(INTERESTS))
    options = list(INTERESTS[first_index : first_index + 1 + int(source.random() * 3)])
    return options, [(None, fold_cached(option), None, None, None, None, None, option, None) for option in options]


def _billing_email(customer: CustomerDraft, source: RandomSource, plan: SeedPlan) -> _GeneratedValue:
    text = f"billing{customer.number}@example.com"
    return _text(text, text)


def _work_phone(customer: CustomerDraft, source: RandomSource, plan: SeedPlan) -> _GeneratedValue:
    text = source.phone_number(source.pick(customer.locale.landlines), customer.locale.landline_length)
    return _text(text, text)


def _profile(customer: CustomerDraft, source: RandomSource, plan: SeedPlan) -> _GeneratedValue:
    text = f"https://social.example/u/{customer.number}"
    return _text(text, text)


_MAKERS: tuple[tuple[str, float, Callable[[CustomerDraft, RandomSource, SeedPlan], _GeneratedValue]], ...] = (
    ("loyalty_number", 0.3, _loyalty_number),
    ("preferences", 0.15, _preferences),
    ("points", 0.35, _points),
    ("wants_gift", 0.2, _wants_gift),
    ("anniversary", 0.15, _anniversary),
    ("next_visit", 0.08, _next_visit),
    ("tier", 0.3, _tier),
    ("interests", 0.15, _interests),
    ("billing_email", 0.05, _billing_email),
    ("work_phone", 0.05, _work_phone),
    ("profile", 0.05, _profile),
)
