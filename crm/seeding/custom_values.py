"""Values of the custom fields: two a customer on average, each in the column of its type."""

from collections.abc import Callable
from typing import Any

from crm.seeding import log_values
from crm.seeding.custom_fields import INTERESTS, TIERS
from crm.seeding.customer_draft import Draft
from crm.seeding.people import day, key
from crm.seeding.plan import Plan
from crm.seeding.random_source import Dice
from crm.seeding.rows import Rows
from db import tables

_DAY = 86_400_000
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
_Made = tuple[Any, list[_Cells]]
"""The value as clients see it, and its rows in the order of their positions."""


def fill(customer: Draft, dice: Dice, plan: Plan, rows: Rows) -> None:
    """Adds the rows; leaves what the log tells and what a search finds with the customer."""
    for name, probability, make in _MAKERS:
        if dice.random() < probability and name in plan.fields:
            value, made = make(customer, dice, plan)
            customer.told.append((f"custom.{name}", value))
            for position, cells in enumerate(made):
                rows.of(tables.CustomerValue).append(
                    (rows.workspace_id, customer.id, plan.fields[name], position, *cells)
                )
                if cells[2]:
                    customer.texts.append(cells[2])


def _text(text: str, folded: str, unique: str | None = None) -> _Made:
    return text, [(text, folded, folded, None, None, None, None, None, unique)]


def _loyalty_number(customer: Draft, dice: Dice, plan: Plan) -> _Made:
    text = f"LN{plan.seed}-{customer.place:07}"
    return _text(text, text.lower(), text.lower())


def _preferences(customer: Draft, dice: Dice, plan: Plan) -> _Made:
    text = dice.pick(_PREFERENCES)
    return _text(text, key(text))


def _points(customer: Draft, dice: Dice, plan: Plan) -> _Made:
    points = int(dice.lognormal(5, 1.4))
    return points, [(None, None, None, float(points), None, None, None, None, None)]


def _wants_gift(customer: Draft, dice: Dice, plan: Plan) -> _Made:
    wanted = dice.random() < 0.7
    return wanted, [(None, None, None, None, wanted, None, None, None, None)]


def _anniversary(customer: Draft, dice: Dice, plan: Plan) -> _Made:
    date = day(plan.until // _DAY - int(dice.random() * 40 * 365))
    return date, [(None, None, None, None, None, date, None, None, None)]


def _next_visit(customer: Draft, dice: Dice, plan: Plan) -> _Made:
    """On the half hour, within two months from now."""
    moment = plan.until + int(dice.random() * 60 * 48) * 1_800_000
    return log_values.moment(moment), [(None, None, None, None, None, None, moment, None, None)]


def _tier(customer: Draft, dice: Dice, plan: Plan) -> _Made:
    tier = dice.early(TIERS)
    return tier, [(None, key(tier), None, None, None, None, None, tier, None)]


def _interests(customer: Draft, dice: Dice, plan: Plan) -> _Made:
    first = int(dice.random() * len(INTERESTS))
    chosen = list(INTERESTS[first : first + 1 + int(dice.random() * 3)])
    return chosen, [(None, key(option), None, None, None, None, None, option, None) for option in chosen]


def _billing_email(customer: Draft, dice: Dice, plan: Plan) -> _Made:
    text = f"billing{customer.place}@example.com"
    return _text(text, text)


def _work_phone(customer: Draft, dice: Dice, plan: Plan) -> _Made:
    text = dice.number(dice.pick(customer.locale.landlines), customer.locale.landline_length)
    return _text(text, text)


def _profile(customer: Draft, dice: Dice, plan: Plan) -> _Made:
    text = f"https://social.example/u/{customer.place}"
    return _text(text, text)


_MAKERS: tuple[tuple[str, float, Callable[[Draft, Dice, Plan], _Made]], ...] = (
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
