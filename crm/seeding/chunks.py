"""A chunk of customers with all related rows: a pure function that runs in any process and in any order."""

from crm.seeding import activities, assignment_state, custom_values, log_values, people
from crm.seeding.customer_draft import CustomerDraft
from crm.seeding.locales import WEIGHTED
from crm.seeding.plan import SeedPlan
from crm.seeding.random_source import RandomSource
from crm.seeding.rows import ChunkRows
from db import tables
from db.queries.customers import search_documents

CUSTOMERS_PER_CHUNK = 5_000

_DUPLICATE_FRACTION = 0.012
"""Fraction of customers that duplicate an earlier one."""


def count_chunks(customers: int) -> int:
    return -(-customers // CUSTOMERS_PER_CHUNK)


def build_chunk(plan: SeedPlan, number: int) -> ChunkRows:
    """The rows of chunk `number`, from 0; the same for the same plan."""
    source, rows = RandomSource(f"{plan.seed}/{number}"), ChunkRows(plan.workspace_id)
    originals: list[CustomerDraft] = []
    for position in range(number * CUSTOMERS_PER_CHUNK, min((number + 1) * CUSTOMERS_PER_CHUNK, plan.customers)):
        customer = _build_customer(source, plan, rows, position, originals)
        if customer.phones:
            originals.append(customer)
        _add_rows(customer, rows)
    return rows


def _build_customer(
    source: RandomSource, plan: SeedPlan, rows: ChunkRows, position: int, originals: list[CustomerDraft]
) -> CustomerDraft:
    created_at = _creation_time(source, plan, position)
    if originals and source.random() < _DUPLICATE_FRACTION:
        other = source.pick(originals)
        customer = CustomerDraft(source.record_id(created_at), created_at, position, other.locale)
        people.fill_duplicate_person(customer, source, other)
    else:
        customer = CustomerDraft(source.record_id(created_at), created_at, position, source.pick(WEIGHTED))
        people.fill_new_person(customer, source, plan)
    assignment_state.assign_state(customer, source, plan)
    activities.add_activities(customer, source, plan, rows)
    assignment_state.add_related_rows(customer, source, plan, rows)
    custom_values.add_custom_values(customer, source, plan, rows)
    return customer


def _creation_time(source: RandomSource, plan: SeedPlan, position: int) -> int:
    """The creation time: later for higher numbers, and denser towards the end, as in a growing business."""
    return plan.since + int((plan.until - plan.since) * ((position + source.random()) / plan.customers) ** 0.7)


def _add_rows(customer: CustomerDraft, rows: ChunkRows) -> None:
    workspace_id = rows.workspace_id
    rows.rows_of(tables.Customer).append(_customer_row(customer, workspace_id))
    for position, phone in enumerate(customer.phones):
        rows.rows_of(tables.CustomerPhone).append((workspace_id, customer.id, position, phone))
    for position, email in enumerate(customer.emails):
        rows.rows_of(tables.CustomerEmail).append((workspace_id, customer.id, position, email, email.lower()))
    for label in customer.tags:
        rows.rows_of(tables.CustomerTag).append((workspace_id, customer.id, label.id))
    rows.rows_of(tables.CustomerSearch).append((workspace_id, customer.id, _search_text(customer)))
    rows.log_created("Customer", customer.id, customer.created_at, _logged_fields(customer))


def _customer_row(customer: CustomerDraft, workspace_id: int) -> tuple[object, ...]:
    phones, emails, city = customer.phones, customer.emails, customer.city
    gender = customer.gender
    change_times = (customer.owned_since, customer.released_at, customer.archived_at)
    return (
        workspace_id,
        customer.id,
        customer.created_at,
        max(customer.created_at, *(time or 0 for time in change_times)),
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
        min(label.name_key for label in customer.tags) if customer.tags else None,
    )


def _search_text(customer: CustomerDraft) -> str:
    city = customer.city
    location = (city.name, city.region, city.postal_code, customer.locale.country) if city else ()
    return search_documents.build_document(
        names=(customer.name_key, customer.nickname_key, customer.real_name_key),
        emails=customer.emails,
        phones=customer.phones,
        company=customer.company.name_key if customer.company else None,
        external_ids=[value for _, value in customer.external_ids],
        address=(
            customer.line1_key,
            customer.line2 and people.fold_cached(customer.line2),
            *map(people.fold_cached, location),
        ),
        tags=[label.name_key for label in customer.tags],
        notes=customer.notes,
        values=customer.searched_values,
    )


def _logged_fields(customer: CustomerDraft) -> tuple[tuple[str, object], ...]:
    """The log fields by API name, in their order."""
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
        ("value", log_values.format_amount(customer.value)),
        ("source", customer.source),
        ("channel", customer.channel),
        ("relationshipStatus", customer.relationship.name),
        ("subscriptionStatus", customer.subscription.name),
        ("stage", customer.stage.name),
        ("verification", customer.verification.name),
        ("followUpStage", customer.follow_up_stage),
        ("resellerRelationship", customer.reseller),
        ("archivedAt", log_values.format_time(customer.archived_at)),
        ("address.line1", customer.line1),
        ("address.line2", customer.line2),
        ("address.city", city.name if city else None),
        ("address.region", city.region if city else None),
        ("address.postalCode", city.postal_code if city else None),
        ("address.country", customer.locale.country if city else None),
        ("company", log_values.company_wire_id(customer.company.id) if customer.company else None),
        ("owner", log_values.agent_wire_id(customer.owner_id)),
        ("department", log_values.department_wire_id(customer.department_id)),
        ("tags", [label.wire_id for label in customer.tags]),
        ("wechatFriends", [log_values.agent_wire_id(friend) for friend in customer.friends]),
        *customer.logged_fields,
    )
