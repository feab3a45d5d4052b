"""Who a customer is: names, numbers, addresses of both kinds, birthday, employer."""

from datetime import date
from functools import cache

from crm.seeding.customer_draft import Draft
from crm.seeding.locales.locale import Locale
from crm.seeding.plan import Plan
from crm.seeding.random_source import Dice
from db.tables.enums import Gender
from db.values.folding import fold

_DAY = 86_400_000
_EPOCH = date(1970, 1, 1).toordinal()
_IN_ADDRESS = str.maketrans({" ": "", "'": "", "’": ""})
_LINE2 = ("2F", "Block B", "Scala A", "RT 04/RW 02", "Flat 3", "Tầng 5", "Interno 7", "Unit 12")


@cache
def key(text: str) -> str:
    """Folded; remembered, for what is folded here is made of few pieces."""
    return fold(text)


@cache
def _box(word: str) -> str:
    """A word as it may stand in an e-mail address."""
    return fold(word).translate(_IN_ADDRESS)


def day(number: int) -> str:
    """The date that many days after 1970-01-01."""
    return date.fromordinal(_EPOCH + number).isoformat()


def introduce(customer: Draft, dice: Dice, plan: Plan) -> None:
    """A new person."""
    given, family = _named(customer, dice)
    _reached(customer, dice, plan, given, family)
    if dice.random() < 0.65:
        age = 17 * 365 + int(dice.random() ** 1.6 * 65 * 365)
        customer.birth_date = day(plan.until // _DAY - age)
    if dice.random() < 0.78:
        _located(customer, dice)


def again(customer: Draft, dice: Dice, other: Draft) -> None:
    """The same person once more, written a little differently, with the same number."""
    words = other.name.split()
    way = dice.below(4)
    if way == 0:
        customer.name = other.name_key.title()
    elif way == 1:
        customer.name = other.name.upper()
    elif way == 2 and len(words) > 2:
        customer.name = f"{words[0]} {words[-1]}"
    else:
        customer.name = " ".join(reversed(words))
    customer.name_key = fold(customer.name)
    customer.gender, customer.city = other.gender, other.city
    customer.phones = other.phones[:1]
    if dice.chance(0.25):
        locale = customer.locale
        customer.phones.insert(0, dice.number(dice.pick(locale.mobiles), locale.mobile_length))
    if dice.chance(0.4):
        customer.emails = other.emails[:1]


def _named(customer: Draft, dice: Dice) -> tuple[str, str]:
    """Returns the given and the family name, the latter empty where there is none."""
    locale, chance = customer.locale, dice.random()
    woman = chance < 0.5
    if chance < 0.88:
        customer.gender = Gender.OTHER if 0.495 < chance < 0.505 else Gender.FEMALE if woman else Gender.MALE
    given = dice.early(locale.women if woman else locale.men)
    family = "" if locale.mononyms and dice.random() < locale.mononyms else dice.early(locale.families)
    full, folded = _full(dice, locale, given, family, woman)
    style = dice.random()
    if style < 0.1:
        # Known by the name of an account in some application; the real one was learnt later.
        customer.name = dice.pick(locale.displayed).format(given)
        customer.name_key = key(customer.name)
        customer.real_name, customer.real_name_key = full, folded
    else:
        customer.name, customer.name_key = full, folded
        if style < 0.2:
            customer.real_name, customer.real_name_key = full, folded
    if dice.random() < 0.22:
        customer.nickname = dice.pick(locale.women_called if woman else locale.men_called).format(given)
        customer.nickname_key = key(customer.nickname)
    return given, family


def _full(dice: Dice, locale: Locale, given: str, family: str, woman: bool) -> tuple[str, str]:
    if not family:
        return given, key(given)
    if not locale.family_first:
        return f"{given} {family}", f"{key(given)} {key(family)}"
    middles = locale.women_middle if woman else locale.men_middle
    if dice.random() < 0.85:
        middle = dice.pick(middles)
        return f"{family} {middle} {given}", f"{key(family)} {key(middle)} {key(given)}"
    return f"{family} {given}", f"{key(family)} {key(given)}"


def _reached(customer: Draft, dice: Dice, plan: Plan, given: str, family: str) -> None:
    locale, chance = customer.locale, dice.random()
    if chance < 0.94:
        customer.phones.append(dice.number(dice.early(locale.mobiles), locale.mobile_length))
        if chance < 0.15:
            customer.phones.append(dice.number(dice.pick(locale.mobiles), locale.mobile_length))
    employers = plan.employers.get(locale.country, ())
    if employers and dice.random() < 0.3:
        customer.company = dice.early(employers)
    chance = dice.random()
    if chance < 0.76:
        customer.emails.append(_email(dice, given, family, dice.pick(locale.mail)))
        if chance < 0.1:
            domain = customer.company.domain if customer.company else dice.pick(locale.mail)
            customer.emails.append(_email(dice, family or given, given, domain))


def _email(dice: Dice, given: str, family: str, domain: str) -> str:
    way, number = dice.random(), int(dice.random() * 10_000)
    first, last = _box(given), _box(family)
    if not last:
        return f"{first}{number}@{domain}"
    if way < 0.4:
        return f"{first}.{last}{number}@{domain}"
    if way < 0.6:
        return f"{first}{last}{number}@{domain}"
    if way < 0.75:
        return f"{last}_{first}{number}@{domain}"
    if way < 0.9:
        return f"{first}{number}.{last}@{domain}"
    return f"{first.capitalize()}.{last.capitalize()}{number}@{domain}"


def _located(customer: Draft, dice: Dice) -> None:
    locale = customer.locale
    customer.city = dice.early(locale.cities)
    if dice.random() < 0.7:
        number, street = 1 + int(dice.random() * 300), dice.early(locale.streets)
        if locale.number_first:
            customer.line1, customer.line1_key = f"{number} {street}", f"{number} {key(street)}"
        else:
            customer.line1, customer.line1_key = f"{street} {number}", f"{key(street)} {number}"
        if dice.random() < 0.08:
            customer.line2 = dice.pick(_LINE2)
