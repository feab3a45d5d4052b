"""Sorts: lists of one-key objects, the first of which counts most."""

from enum import Enum

import strawberry

from graph.filtering.filter_inputs import filter_field, filter_input
from graph.types.enums import describe_values


class SortOrder(Enum):
    ASC = "ASC"
    DESC = "DESC"
    ASC_NULLS_FIRST = "ASC_NULLS_FIRST"
    DESC_NULLS_FIRST = "DESC_NULLS_FIRST"


class CustomerSearchField(Enum):
    NAME = "NAME"
    NICKNAME = "NICKNAME"
    REAL_NAME = "REAL_NAME"
    EMAIL = "EMAIL"
    PHONE = "PHONE"
    COMPANY = "COMPANY"
    EXTERNAL_ID = "EXTERNAL_ID"
    ADDRESS = "ADDRESS"
    TAG = "TAG"
    NOTE = "NOTE"
    CUSTOM_FIELD = "CUSTOM_FIELD"


describe_values(
    SortOrder,
    "The direction of a sort. What has no value comes last unless asked for first.",
    ASC="From the least to the greatest.",
    DESC="From the greatest to the least.",
    ASC_NULLS_FIRST="From the least to the greatest, after what has no value.",
    DESC_NULLS_FIRST="From the greatest to the least, after what has no value.",
)
describe_values(
    CustomerSearchField,
    "What a search looks through.",
    NAME="The name.",
    NICKNAME="The nickname.",
    REAL_NAME="The name in official papers.",
    EMAIL="All addresses.",
    PHONE="All numbers, by their digits.",
    COMPANY="The company's name.",
    EXTERNAL_ID="Ids in other systems.",
    ADDRESS="The address.",
    TAG="The names of the tags.",
    NOTE="The texts of the notes.",
    CUSTOM_FIELD="The texts of custom fields.",
)

_CUSTOMERS = "By how many customers in sight it has, archived ones left out."


@filter_input("Sorts companies, by one key.", one_of=True)
class CompanySort:
    id: SortOrder | None = filter_field("By the id.")
    name: SortOrder | None = filter_field("By the name, whatever the case and accents.")
    created_at: SortOrder | None = filter_field("By creation.")
    customer_count: SortOrder | None = filter_field(_CUSTOMERS)


@filter_input("Sorts agents, by one key.", one_of=True)
class AgentSort:
    id: SortOrder | None = filter_field("By the id.")
    name: SortOrder | None = filter_field("By the name, whatever the case and accents.")
    customer_count: SortOrder | None = filter_field(_CUSTOMERS)


@filter_input("Sorts tags, by one key.", one_of=True)
class TagSort:
    name: SortOrder | None = filter_field("By the name, whatever the case and accents.")
    created_at: SortOrder | None = filter_field("By creation.")
    customer_count: SortOrder | None = filter_field(_CUSTOMERS)


@filter_input("Sorts segments, by one key.", one_of=True)
class SegmentSort:
    name: SortOrder | None = filter_field("By the name, whatever the case and accents.")
    created_at: SortOrder | None = filter_field("By creation.")


@filter_input("Sorts by a custom field.")
class CustomFieldSort:
    key: str = strawberry.field(description="The field's key.")
    order: SortOrder = filter_field("The direction.", default=SortOrder.ASC)


@filter_input("Sorts customers, by one key. The id breaks ties, in the direction of the first key.", one_of=True)
class CustomerSort:
    id: SortOrder | None = filter_field("By the id.")
    name: SortOrder | None = filter_field("By the name, whatever the case and accents.")
    nickname: SortOrder | None = filter_field("By the nickname, whatever the case and accents.")
    phone: SortOrder | None = filter_field("By the primary number.")
    email: SortOrder | None = filter_field("By the primary address, whatever the case.")
    value: SortOrder | None = filter_field("By what the customer is worth.")
    gender: SortOrder | None = filter_field("By gender, in the order in which the values are declared.")
    birth_date: SortOrder | None = filter_field("By the birth date.")
    created_at: SortOrder | None = filter_field("By creation.")
    updated_at: SortOrder | None = filter_field("By the last change.")
    last_interaction_at: SortOrder | None = filter_field("By when something last happened.")
    relationship_status: SortOrder | None = filter_field("By relationship, in declared order.")
    subscription_status: SortOrder | None = filter_field("By subscription, in declared order.")
    stage: SortOrder | None = filter_field("By stage, in declared order.")
    tags: SortOrder | None = filter_field("By the name of the tag that comes first in the alphabet.")
    tag_count: SortOrder | None = filter_field("By how many tags are worn.")
    company: CompanySort | None = filter_field("By the company; no company counts as no value.")
    owner: AgentSort | None = filter_field("By the owner; no owner counts as no value.")
    custom_field: CustomFieldSort | None = filter_field("By a custom field.")
    relevance: SortOrder | None = filter_field("By how well the search fits; without a search all fit alike.")
