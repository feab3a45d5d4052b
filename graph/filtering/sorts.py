"""Sorts: lists of one-key objects, the most important key first."""

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
    "Direction of a sort. Records without a value come last, unless NULLS_FIRST is chosen.",
    ASC="Ascending; records without a value last.",
    DESC="Descending; records without a value last.",
    ASC_NULLS_FIRST="Ascending; records without a value first.",
    DESC_NULLS_FIRST="Descending; records without a value first.",
)
describe_values(
    CustomerSearchField,
    "A field that a search covers.",
    NAME="The name.",
    NICKNAME="The nickname.",
    REAL_NAME="Name in official documents.",
    EMAIL="All addresses.",
    PHONE="All phone numbers, by their digits.",
    COMPANY="Name of the company.",
    EXTERNAL_ID="Ids in other systems.",
    ADDRESS="The address.",
    TAG="Names of the tags.",
    NOTE="Texts of the notes.",
    CUSTOM_FIELD="Texts of custom fields.",
)

_CUSTOMERS = "By the number of customers that the viewer can see, without archived customers."


@filter_input("Sort key of companies: exactly one of the fields.", one_of=True)
class CompanySort:
    id: SortOrder | None = filter_field("Id of the record.")
    name: SortOrder | None = filter_field("By name, ignoring case and accents.")
    created_at: SortOrder | None = filter_field("By creation.")
    customer_count: SortOrder | None = filter_field(_CUSTOMERS)


@filter_input("Sort key of agents: exactly one of the fields.", one_of=True)
class AgentSort:
    id: SortOrder | None = filter_field("Id of the record.")
    name: SortOrder | None = filter_field("By name, ignoring case and accents.")
    customer_count: SortOrder | None = filter_field(_CUSTOMERS)


@filter_input("Sort key of tags: exactly one of the fields.", one_of=True)
class TagSort:
    name: SortOrder | None = filter_field("By name, ignoring case and accents.")
    created_at: SortOrder | None = filter_field("By creation.")
    customer_count: SortOrder | None = filter_field(_CUSTOMERS)


@filter_input("Sort key of segments: exactly one of the fields.", one_of=True)
class SegmentSort:
    name: SortOrder | None = filter_field("By name, ignoring case and accents.")
    created_at: SortOrder | None = filter_field("By creation.")


@filter_input("Sort key of a custom field.")
class CustomFieldSort:
    key: str = strawberry.field(description="Key of the custom field.")
    order: SortOrder = filter_field("The direction.", default=SortOrder.ASC)


@filter_input(
    "Sort key of customers: exactly one of the fields. The id breaks ties, in the direction of the first key.",
    one_of=True,
)
class CustomerSort:
    id: SortOrder | None = filter_field("Id of the record.")
    name: SortOrder | None = filter_field("By name, ignoring case and accents.")
    nickname: SortOrder | None = filter_field("By nickname, ignoring case and accents.")
    phone: SortOrder | None = filter_field("By primary phone number.")
    email: SortOrder | None = filter_field("By primary e-mail address, case-insensitive.")
    value: SortOrder | None = filter_field("By value.")
    gender: SortOrder | None = filter_field("By gender, in the declared order of the enum.")
    birth_date: SortOrder | None = filter_field("By birth date.")
    created_at: SortOrder | None = filter_field("By creation.")
    updated_at: SortOrder | None = filter_field("By the time of the last change.")
    last_interaction_at: SortOrder | None = filter_field("By the time of the last interaction.")
    relationship_status: SortOrder | None = filter_field("By relationship status, in the declared order of the enum.")
    subscription_status: SortOrder | None = filter_field("By subscription status, in the declared order of the enum.")
    stage: SortOrder | None = filter_field("By stage, in the declared order of the enum.")
    tags: SortOrder | None = filter_field("By the alphabetically first tag name.")
    tag_count: SortOrder | None = filter_field("By the number of tags.")
    company: CompanySort | None = filter_field("By company. A customer without a company counts as without a value.")
    owner: AgentSort | None = filter_field("By owner. A customer without an owner counts as without a value.")
    custom_field: CustomFieldSort | None = filter_field("By a custom field.")
    relevance: SortOrder | None = filter_field("By relevance for the search. Without a search all customers are equal.")
