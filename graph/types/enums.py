"""Enums of the schema with a description for each value."""

from enum import Enum

import strawberry

from crm.customers.allowed_actions import CustomerAction
from db.tables.enums import (
    ActorKind,
    AssignmentStrategy,
    AutomationRule,
    BulkDeletePolicy,
    ChangeAction,
    CustomerStage,
    CustomFieldType,
    DepartmentAssignment,
    Direction,
    DuplicateKey,
    EntityType,
    Gender,
    InteractionKind,
    InteractionOutcome,
    JobKind,
    JobStatus,
    Outcome,
    Permission,
    RelationshipStatus,
    Role,
    SegmentKind,
    SubscriptionStatus,
    TagKind,
    Verification,
)

__all__ = [
    "ActorKind",
    "ArchivedScope",
    "AssignmentStrategy",
    "AutomationRule",
    "BulkDeletePolicy",
    "ChangeAction",
    "CustomFieldType",
    "CustomerAction",
    "CustomerStage",
    "DepartmentAssignment",
    "Direction",
    "DuplicateKey",
    "EntityType",
    "Gender",
    "InteractionKind",
    "InteractionOutcome",
    "JobKind",
    "JobStatus",
    "Outcome",
    "Permission",
    "RelationshipStatus",
    "Role",
    "SegmentKind",
    "SubscriptionStatus",
    "TagKind",
    "Verification",
]


def describe_values(kind: type[Enum], description: str, **values: str) -> None:
    """Registers an enum with a description for each of its values."""
    definition = strawberry.enum(kind, description=description).__strawberry_definition__  # type: ignore[attr-defined] # strawberry.enum adds it
    if missing := {item.name for item in definition.values} ^ set(values):
        raise TypeError(f"{kind.__name__}: no description, or no value, of {sorted(missing)}")
    for item in definition.values:
        item.description = values[item.name]


class ArchivedScope(Enum):
    EXCLUDE = "EXCLUDE"
    INCLUDE = "INCLUDE"
    ONLY = "ONLY"


describe_values(
    ArchivedScope,
    "Whether a list includes archived customers.",
    EXCLUDE="Only customers that are not archived.",
    INCLUDE="All customers.",
    ONLY="Only archived customers.",
)
describe_values(Gender, "A person's gender.", FEMALE="Female.", MALE="Male.", OTHER="Any other.")
describe_values(
    RelationshipStatus,
    ("Relationship of a customer to the business. People may set any value; automation only changes LEAD to CUSTOMER."),
    LEAD="No business interaction yet.",
    CUSTOMER="At least one business interaction.",
    VIP="A special customer. Automation never changes this status.",
)
describe_values(
    SubscriptionStatus,
    "Mailing list status of a customer. People change it only between SUBSCRIBED and UNSUBSCRIBED.",
    NOT_SUBSCRIBED="Never subscribed.",
    SUBSCRIBED="Receives mailings.",
    UNSUBSCRIBED="Unsubscribed from mailings.",
    DELETED="The address was removed from the list because it cannot be delivered. The customer stays.",
)
describe_values(
    CustomerStage,
    "Stage of a customer in the assignment workflow. A customer has an owner exactly in FOLLOW_UP.",
    NEW="Not verified yet.",
    TO_BE_ASSIGNED="Waits for an agent.",
    FOLLOW_UP="An agent looks after the customer.",
    POOL="Free for agents to claim.",
)
describe_values(
    Verification,
    "Verification of a customer's details.",
    UNVERIFIED="Not checked.",
    VALID="Checked: valid.",
    INVALID="Checked: invalid.",
)
describe_values(TagKind, "Origin of a tag.", BUSINESS="The business's own tags.", WECOM="Tags of WeCom.")
describe_values(
    SegmentKind,
    "How the members of a segment are determined.",
    DYNAMIC="By a stored filter: the customers that match now.",
    STATIC="By hand: the customers that were added.",
)
describe_values(
    Role,
    "A set of base permissions of an agent.",
    ADMIN="All permissions.",
    MANAGER="All permissions except tagging, settings, keys and webhooks.",
    AGENT="Own customers, customers that wait in own departments, and the pool.",
)
describe_values(
    Permission,
    ("Permission of an agent or API key. Roles contain permissions; grants and revocations change them for one agent."),
    CUSTOMER_VIEW="See customers and their records, and read tags, segments, companies and settings.",
    CUSTOMER_VIEW_ALL="See every customer, regardless of the owner.",
    CUSTOMER_CREATE="Create customers.",
    CUSTOMER_UPDATE="Change customers.",
    CUSTOMER_DELETE="Delete a customer permanently.",
    CUSTOMER_BULK_DELETE="Delete many customers at once.",
    CUSTOMER_ASSIGN="Assign customers to agents, and release those of others.",
    CUSTOMER_CLAIM="Claim customers from the pool.",
    CUSTOMER_ARCHIVE="Archive and unarchive customers.",
    CUSTOMER_BLOCK="Block and unblock customers.",
    CUSTOMER_IMPORT="Import customers from files.",
    CUSTOMER_EXPORT="Export customers to files.",
    CUSTOMER_MERGE="Merge duplicates, and dismiss suggestions of them.",
    STATUS_CHANGE="Change relationship and subscription statuses.",
    CONSENT_RECORD="Record that a customer opted in.",
    TAG_ASSIGN="Put tags on customers and take them off.",
    TAG_MANAGE="Create, change, merge and delete tags.",
    SEGMENT_MANAGE="Create, change and delete segments and their members.",
    FIELD_MANAGE="Create, change and delete custom fields.",
    COMPANY_MANAGE="Create, change and delete companies.",
    NOTE_WRITE="Write notes; change and delete own notes.",
    NOTE_MANAGE="Change and delete notes of other authors.",
    INTERACTION_RECORD="Record interactions and orders.",
    VIEW_SHARE="Share saved views with all agents.",
    AGENT_MANAGE="Create, change and deactivate agents and departments.",
    RULE_MANAGE="Create, change and delete assignment rules.",
    SETTINGS_MANAGE="Change the workspace's settings and see every job.",
    KEY_MANAGE="Create and revoke API keys.",
    WEBHOOK_MANAGE="Create, change and delete webhooks.",
)
describe_values(EntityType, "Entity that a custom field belongs to.", CUSTOMER="Customers.", COMPANY="Companies.")
describe_values(
    CustomFieldType,
    "Type of a custom field's values; it never changes.",
    TEXT="A line of text.",
    LONG_TEXT="Text of many lines.",
    NUMBER="A number.",
    BOOLEAN="Yes or no.",
    DATE="A calendar date.",
    DATE_TIME="A moment.",
    SELECT="One of the field's options.",
    MULTI_SELECT="Any of the field's options.",
    EMAIL="An e-mail address.",
    PHONE="A phone number.",
    URL="A web address.",
)
describe_values(
    InteractionKind,
    "Kind of an interaction.",
    CALL="A phone call.",
    MEETING="A meeting.",
    EMAIL="An e-mail.",
    MESSAGE="A message in a chat.",
    APPOINTMENT="An appointment, kept or not.",
    EVENT="An event, attended or not.",
    PAYMENT="A payment, made or not.",
    FOLLOW_UP="A follow-up by an agent.",
    CARE="Customer care.",
    MARKETING_DELIVERED="A mailing that arrived.",
    MARKETING_VIEWED="A mailing that was opened.",
    MARKETING_CLICKED="A mailing whose link was clicked.",
    OPT_IN="The customer consented to mailings.",
    OPT_OUT="The customer opted out of mailings.",
    DELIVERY_FAILED="A mailing permanently failed to be delivered.",
    OTHER="Anything else.",
)
describe_values(
    InteractionOutcome,
    "Outcome of an interaction.",
    ATTENDED="The customer attended.",
    NO_SHOW="The customer did not attend.",
    CANCELLED="It was cancelled.",
    PAID="The payment was made.",
    FAILED="The payment failed.",
    VOID="The payment was voided.",
)
describe_values(Direction, "Who began.", INBOUND="The customer.", OUTBOUND="The business.")
describe_values(
    BulkDeletePolicy,
    "Which customers a bulk deletion may delete.",
    TO_BE_ASSIGNED_ONLY="Only customers in the stage TO_BE_ASSIGNED.",
    ANY="Any.",
    NONE="None.",
)
describe_values(
    DepartmentAssignment,
    "What an assignment to a department does.",
    EXPAND="Its active members receive the customers, round robin.",
    QUEUE="The customers wait in the department's queue.",
)
describe_values(
    AssignmentStrategy,
    "How an assignment rule chooses an agent.",
    ROUND_ROBIN="Round robin in the rule's order; it continues where it stopped.",
    LEAST_LOADED="The agent with the fewest customers; among equals the first in the rule's order.",
)
describe_values(
    AutomationRule,
    "An automation rule that changes a LEAD to a CUSTOMER.",
    PAYMENT="A payment that was made.",
    APPOINTMENT="An appointment that was kept.",
    EVENT="An event that was attended.",
    MESSAGE="A message from the customer.",
)
describe_values(
    Outcome,
    "What the mutation did.",
    CREATED="It was created.",
    UPDATED="It was updated.",
    UNCHANGED="Nothing changed: the record already had the values.",
    DELETED="It was deleted.",
    MERGED="It was merged into another.",
    SKIPPED="It was skipped.",
    FAILED="It failed.",
)
describe_values(
    ChangeAction,
    "What a change did to a record.",
    CREATED="It was created.",
    UPDATED="It was updated.",
    DELETED="It was deleted.",
    MERGED="It was merged into another.",
)
describe_values(
    CustomerAction,
    "An action on a customer.",
    UPDATE="Change the details.",
    TAG="Add and remove tags.",
    CHANGE_STATUS="Change the relationship and subscription statuses.",
    ASSIGN="Assign the customer to an agent.",
    CLAIM="Claim the customer.",
    RELEASE="Release the customer.",
    VERIFY="Verify the customer.",
    ARCHIVE="Archive the customer.",
    UNARCHIVE="Unarchive the customer.",
    BLOCK="Block the customer.",
    UNBLOCK="Unblock the customer.",
    MERGE="Merge the customer with others.",
    DELETE="Delete the customer permanently.",
    NOTE="Write a note.",
    EXPORT="Export the customer.",
)

describe_values(
    JobKind,
    "Kind of a job.",
    UPDATE="Applies the same changes to customers.",
    UPSERT="Creates and updates customers with individual values.",
    ASSIGN="Assigns customers.",
    RELEASE="Releases customers from their owners.",
    CLAIM="Claims customers from the pool.",
    VERIFY="Verifies customers.",
    ARCHIVE="Archives customers.",
    UNARCHIVE="Unarchives customers.",
    BLOCK="Blocks customers.",
    UNBLOCK="Ends blocks.",
    DELETE="Deletes customers permanently.",
    IMPORT="Imports customers from a file.",
    EXPORT="Exports customers to a file.",
    SEGMENT_MEMBERS="Adds customers to a segment or removes them.",
    INTERACTIONS="Records interactions.",
    MERGE="Merges customers.",
    UNDO="Undoes another job.",
    RETRY="Runs the failed rows of another job again.",
    RECLAIM="Returns idle customers to the pool.",
)
describe_values(
    JobStatus,
    "Status of a job.",
    QUEUED="Waits for a worker.",
    RUNNING="A worker is processing it.",
    DONE="Ended: every row succeeded or was skipped.",
    DONE_WITH_ERRORS="Ended: some rows failed.",
    FAILED="Failed: see `error`. With ABORT nothing was changed.",
    CANCELLING="Stops at the end of the current chunk.",
    CANCELLED="Cancelled; processed rows stay changed.",
)
describe_values(
    DuplicateKey,
    "Key that possible duplicates share.",
    PHONE="A phone number in any notation, primary or additional.",
    EMAIL="An e-mail address, case-insensitive, primary or additional.",
    NAME="The name, ignoring case and accents.",
)
