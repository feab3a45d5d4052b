"""The person of a customer: names, phone numbers, email and postal addresses, birthday, employer."""

from datetime import date
from functools import cache

from crm.seeding.customer_draft import CustomerDraft
from crm.seeding.locales.locale import Locale
from crm.seeding.plan import SeedPlan
from crm.seeding.random_source import RandomSource
from db.tables.enums import Gender
from db.values.folding import fold
from db.values.time_units import MS_PER_DAY

_EPOCH_ORDINAL = date(1970, 1, 1).toordinal()
_ADDRESS_TRANSLATION = str.maketrans({" ": "", "'": "", "’": ""})
_LINE2 = ("2F", "Block B", "Scala A", "RT 04/RW 02", "Flat 3", "Tầng 5", "Interno 7", "Unit 12")


@cache
def fold_cached(text: str) -> str:
    """The folded text; cached, because the texts consist of few repeated words."""
    return fold(text)


@cache
def _address_word(word: str) -> str:
    """The word in the form for an email address."""
    return fold(word).translate(_ADDRESS_TRANSLATION)


def date_text(number: int) -> str:
    """The date that many days after 1970-01-01."""
    return date.fromordinal(_EPOCH_ORDINAL + number).isoformat()


def fill_new_person(customer: CustomerDraft, source: RandomSource, plan: SeedPlan) -> None:
    """Fills in a new person."""
    given_name, family_name = _add_names(customer, source)
    _add_contacts(customer, source, plan, given_name, family_name)
    if source.random() < 0.65:
        age = 17 * 365 + int(source.random() ** 1.6 * 65 * 365)
        customer.birth_date = date_text(plan.until // MS_PER_DAY - age)
    if source.random() < 0.78:
        _add_address(customer, source)


def fill_duplicate_person(customer: CustomerDraft, source: RandomSource, other: CustomerDraft) -> None:
    """Fills in an earlier person again, spelled a little differently, with the same phone number."""
    words = other.name.split()
    variant = source.integer_below(4)
    if variant == 0:
        customer.name = other.name_key.title()
    elif variant == 1:
        customer.name = other.name.upper()
    elif variant == 2 and len(words) > 2:
        customer.name = f"{words[0]} {words[-1]}"
    else:
        customer.name = " ".join(reversed(words))
    customer.name_key = fold(customer.name)
    customer.gender, customer.city = other.gender, other.city
    customer.phones = other.phones[:1]
    if source.chance(0.25):
        locale = customer.locale
        customer.phones.insert(0, source.phone_number(source.pick(locale.mobiles), locale.mobile_length))
    if source.chance(0.4):
        customer.emails = other.emails[:1]


def _add_names(customer: CustomerDraft, source: RandomSource) -> tuple[str, str]:
    """Sets the names; returns the given name and the family name, which may be empty."""
    locale, chance = customer.locale, source.random()
    is_woman = chance < 0.5
    if chance < 0.88:
        customer.gender = Gender.OTHER if 0.495 < chance < 0.505 else Gender.FEMALE if is_woman else Gender.MALE
    given_name = source.pick_early(locale.women if is_woman else locale.men)
    family_name = "" if locale.mononyms and source.random() < locale.mononyms else source.pick_early(locale.families)
    full_name, full_name_key = _full_name(source, locale, given_name, family_name, is_woman)
    style = source.random()
    if style < 0.1:
        # Named after an account in a chat application; the real name is known separately.
        customer.name = source.pick(locale.display_names).format(given_name)
        customer.name_key = fold_cached(customer.name)
        customer.real_name, customer.real_name_key = full_name, full_name_key
    else:
        customer.name, customer.name_key = full_name, full_name_key
        if style < 0.2:
            customer.real_name, customer.real_name_key = full_name, full_name_key
    if source.random() < 0.22:
        customer.nickname = source.pick(locale.women_nicknames if is_woman else locale.men_nicknames).format(given_name)
        customer.nickname_key = fold_cached(customer.nickname)
    return given_name, family_name


def _full_name(
    source: RandomSource, locale: Locale, given_name: str, family_name: str, is_woman: bool
) -> tuple[str, str]:
    if not family_name:
        return given_name, fold_cached(given_name)
    if not locale.family_first:
        return f"{given_name} {family_name}", f"{fold_cached(given_name)} {fold_cached(family_name)}"
    middles = locale.women_middle if is_woman else locale.men_middle
    if source.random() < 0.85:
        middle = source.pick(middles)
        return (
            f"{family_name} {middle} {given_name}",
            f"{fold_cached(family_name)} {fold_cached(middle)} {fold_cached(given_name)}",
        )
    return f"{family_name} {given_name}", f"{fold_cached(family_name)} {fold_cached(given_name)}"


def _add_contacts(
    customer: CustomerDraft, source: RandomSource, plan: SeedPlan, given_name: str, family_name: str
) -> None:
    locale, chance = customer.locale, source.random()
    if chance < 0.94:
        customer.phones.append(source.phone_number(source.pick_early(locale.mobiles), locale.mobile_length))
        if chance < 0.15:
            customer.phones.append(source.phone_number(source.pick(locale.mobiles), locale.mobile_length))
    employers = plan.companies.get(locale.country, ())
    if employers and source.random() < 0.3:
        customer.company = source.pick_early(employers)
    chance = source.random()
    if chance < 0.76:
        customer.emails.append(_email(source, given_name, family_name, source.pick(locale.mail_domains)))
        if chance < 0.1:
            domain = customer.company.domain if customer.company else source.pick(locale.mail_domains)
            customer.emails.append(_email(source, family_name or given_name, given_name, domain))


def _email(source: RandomSource, given_name: str, family_name: str, domain: str) -> str:
    variant, number = source.random(), int(source.random() * 10_000)
    first, last = _address_word(given_name), _address_word(family_name)
    if not last:
        return f"{first}{number}@{domain}"
    if variant < 0.4:
        return f"{first}.{last}{number}@{domain}"
    if variant < 0.6:
        return f"{first}{last}{number}@{domain}"
    if variant < 0.75:
        return f"{last}_{first}{number}@{domain}"
    if variant < 0.9:
        return f"{first}{number}.{last}@{domain}"
    return f"{first.capitalize()}.{last.capitalize()}{number}@{domain}"


def _add_address(customer: CustomerDraft, source: RandomSource) -> None:
    locale = customer.locale
    customer.city = source.pick_early(locale.cities)
    if source.random() < 0.7:
        number, street = 1 + int(source.random() * 300), source.pick_early(locale.streets)
        if locale.number_first:
            customer.line1, customer.line1_key = f"{number} {street}", f"{number} {fold_cached(street)}"
        else:
            customer.line1, customer.line1_key = f"{street} {number}", f"{fold_cached(street)} {number}"
        if source.random() < 0.08:
            customer.line2 = source.pick(_LINE2)
