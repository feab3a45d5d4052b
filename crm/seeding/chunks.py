"""A chunk of customers with all that belongs to them: a pure function, run in any process and in any order."""

from crm.seeding import activities, assignment_state, custom_values, log_values, people
from crm.seeding.customer_draft import Draft
from crm.seeding.locales import WEIGHTED
from crm.seeding.plan import Plan
from crm.seeding.random_source import Dice
from crm.seeding.rows import Rows
from db import tables
from db.queries.customers import search_documents

SIZE = 5_000

_TWICE = 0.012
"""How many customers are somebody who is there already."""


def count(customers: int) -> int:
    return -(-customers // SIZE)


def made(plan: Plan, number: int) -> Rows:
    """The rows of chunk `number`, from 0; the same for the same plan."""
    dice, rows = Dice(f"{plan.seed}/{number}"), Rows(plan.workspace_id)
    before: list[Draft] = []
    for place in range(number * SIZE, min((number + 1) * SIZE, plan.customers)):
        customer = _customer(dice, plan, rows, place, before)
        if customer.phones:
            before.append(customer)
        _write(customer, rows)
    return rows


def _customer(dice: Dice, plan: Plan, rows: Rows, place: int, before: list[Draft]) -> Draft:
    at = _moment(dice, plan, place)
    if before and dice.random() < _TWICE:
        other = dice.pick(before)
        customer = Draft(dice.id(at), at, place, other.locale)
        people.again(customer, dice, other)
    else:
        customer = Draft(dice.id(at), at, place, dice.pick(WEIGHTED))
        people.introduce(customer, dice, plan)
    assignment_state.place(customer, dice, plan)
    activities.happen(customer, dice, plan, rows)
    assignment_state.surround(customer, dice, plan, rows)
    custom_values.fill(customer, dice, plan, rows)
    return customer


def _moment(dice: Dice, plan: Plan, place: int) -> int:
    """Later for later places, more and more of them towards the end, as in a business that grows."""
    return plan.since + int((plan.until - plan.since) * ((place + dice.random()) / plan.customers) ** 0.7)


def _write(customer: Draft, rows: Rows) -> None:
    workspace_id = rows.workspace_id
    rows.of(tables.Customer).append(_row(customer, workspace_id))
    for position, phone in enumerate(customer.phones):
        rows.of(tables.CustomerPhone).append((workspace_id, customer.id, position, phone))
    for position, email in enumerate(customer.emails):
        rows.of(tables.CustomerEmail).append((workspace_id, customer.id, position, email, email.lower()))
    for label in customer.tags:
        rows.of(tables.CustomerTag).append((workspace_id, customer.id, label.id))
    rows.of(tables.CustomerSearch).append((workspace_id, customer.id, _searched(customer)))
    rows.made("Customer", customer.id, customer.at, _told(customer))


def _row(customer: Draft, workspace_id: int) -> tuple[object, ...]:
    phones, emails, city = customer.phones, customer.emails, customer.city
    gender = customer.gender
    moments = (customer.owned_since, customer.released_at, customer.archived_at)
    return (
        workspace_id,
        customer.id,
        customer.at,
        max(customer.at, *(moment or 0 for moment in moments)),
        1,
        customer.name,
        customer.name_key,
        customer.nickname,
        customer.nickname_key,
        customer.real_name,
        customer.real_name_key,
        phones[0] if phones else None,
        len(phones),
        emails[0] if emails else None,
        emails[0].lower() if emails else None,
        len(emails),
        None if gender is None else gender.value,
        customer.birth_date,
        customer.value,
        customer.line1,
        customer.line2,
        city.name if city else None,
        city.region if city else None,
        city.postal_code if city else None,
        customer.locale.country if city else None,
        customer.source,
        customer.channel,
        customer.relationship.value,
        customer.subscription.value,
        customer.stage.value,
        customer.verification.value,
        customer.follow_up_stage,
        customer.owner_id,
        customer.owned_since,
        customer.previous_owner_id,
        customer.released_at,
        customer.department_id,
        customer.company.id if customer.company else None,
        customer.reseller,
        customer.archived_at,
        customer.last_interaction_at,
        len(customer.tags),
        min(label.key for label in customer.tags) if customer.tags else None,
    )


def _searched(customer: Draft) -> str:
    city = customer.city
    place = (city.name, city.region, city.postal_code, customer.locale.country) if city else ()
    return search_documents.build_document(
        names=(customer.name_key, customer.nickname_key, customer.real_name_key),
        emails=customer.emails,
        phones=customer.phones,
        company=customer.company.key if customer.company else None,
        external_ids=[value for _, value in customer.external_ids],
        address=(customer.line1_key, customer.line2 and people.key(customer.line2), *map(people.key, place)),
        tags=[label.key for label in customer.tags],
        notes=customer.notes,
        values=customer.texts,
    )


def _told(customer: Draft) -> tuple[tuple[str, object], ...]:
    """The fields by the names that columns and mappings use, in their order."""
    city, gender = customer.city, customer.gender
    return (
        *((f"externalId.{system}", value) for system, value in customer.external_ids),
        ("name", customer.name),
        ("nickname", customer.nickname),
        ("realName", customer.real_name),
        ("phones", customer.phones),
        ("emails", customer.emails),
        ("gender", None if gender is None else gender.name),
        ("birthDate", customer.birth_date),
        ("value", log_values.amount(customer.value)),
        ("source", customer.source),
        ("channel", customer.channel),
        ("relationshipStatus", customer.relationship.name),
        ("subscriptionStatus", customer.subscription.name),
        ("stage", customer.stage.name),
        ("verification", customer.verification.name),
        ("followUpStage", customer.follow_up_stage),
        ("resellerRelationship", customer.reseller),
        ("archivedAt", log_values.moment(customer.archived_at)),
        ("address.line1", customer.line1),
        ("address.line2", customer.line2),
        ("address.city", city.name if city else None),
        ("address.region", city.region if city else None),
        ("address.postalCode", city.postal_code if city else None),
        ("address.country", customer.locale.country if city else None),
        ("company", log_values.company(customer.company.id) if customer.company else None),
        ("owner", log_values.agent(customer.owner_id)),
        ("department", log_values.department(customer.department_id)),
        ("tags", [label.shown for label in customer.tags]),
        ("wechatFriends", [log_values.agent(friend) for friend in customer.friends]),
        *customer.told,
    )
