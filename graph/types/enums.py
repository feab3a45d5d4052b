"""The closed lists of values as clients see them, each value described."""

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
    """Publishes a list of values; every one of them gets its description."""
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
    "Which customers a list holds, of those that are archived.",
    EXCLUDE="Only customers that are not archived.",
    INCLUDE="All customers.",
    ONLY="Only archived customers.",
)
describe_values(Gender, "A person's gender.", FEMALE="Female.", MALE="Male.", OTHER="Any other.")
describe_values(
    RelationshipStatus,
    "How close a customer is to the business. A person may set any; automation only makes a LEAD a CUSTOMER.",
    LEAD="No business interaction yet.",
    CUSTOMER="At least one business interaction.",
    VIP="A special position; automation never touches it.",
)
describe_values(
    SubscriptionStatus,
    "Whether a customer is on the mailing list. A person moves it only between SUBSCRIBED and UNSUBSCRIBED.",
    NOT_SUBSCRIBED="Never asked to be.",
    SUBSCRIBED="Gets the mailings.",
    UNSUBSCRIBED="Asked not to get them any more.",
    DELETED="The address was taken off the list because it does not receive; the customer stays.",
)
describe_values(
    CustomerStage,
    "Where a customer stands in the flow of work. An owner is set exactly in FOLLOW_UP.",
    NEW="Not verified yet.",
    TO_BE_ASSIGNED="Waits for an agent.",
    FOLLOW_UP="An agent looks after the customer.",
    POOL="Free for agents to claim.",
)
describe_values(
    Verification,
    "Whether a customer's details were checked.",
    UNVERIFIED="Not checked.",
    VALID="Checked and right.",
    INVALID="Checked and wrong.",
)
describe_values(TagKind, "Where a tag comes from.", BUSINESS="The business's own tags.", WECOM="Tags of WeCom.")
describe_values(
    SegmentKind,
    "How a segment's members are found.",
    DYNAMIC="By a stored filter: always who matches now.",
    STATIC="By hand: who was put in and not taken out.",
)
describe_values(
    Role,
    "A set of permissions that an agent starts with.",
    ADMIN="All permissions.",
    MANAGER="All but tagging, settings, keys and webhooks.",
    AGENT="Own customers, those waiting in own departments, and the pool.",
)
describe_values(
    Permission,
    "What an agent or a key may do. Roles bring them; grants and revocations change them for one agent.",
    CUSTOMER_VIEW="See customers and what belongs to them, and read the catalogues and settings.",
    CUSTOMER_VIEW_ALL="See every customer, whoever owns it.",
    CUSTOMER_CREATE="Create customers.",
    CUSTOMER_UPDATE="Change customers.",
    CUSTOMER_DELETE="Delete a customer for ever.",
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
    NOTE_WRITE="Write notes, and change and delete one's own.",
    NOTE_MANAGE="Change and delete notes of others.",
    INTERACTION_RECORD="Record interactions and orders.",
    VIEW_SHARE="Share saved views with everybody.",
    AGENT_MANAGE="Create, change and deactivate agents and departments.",
    RULE_MANAGE="Create, change and delete assignment rules.",
    SETTINGS_MANAGE="Change the workspace's settings, and see everybody's jobs.",
    KEY_MANAGE="Create and revoke API keys.",
    WEBHOOK_MANAGE="Create, change and delete webhooks.",
)
describe_values(EntityType, "What a custom field belongs to.", CUSTOMER="Customers.", COMPANY="Companies.")
describe_values(
    CustomFieldType,
    "The type of a custom field's values; never changes.",
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
    "What an interaction was.",
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
    MARKETING_CLICKED="A mailing in which a link was followed.",
    OPT_IN="The customer agreed to mailings.",
    OPT_OUT="The customer refused further mailings.",
    DELIVERY_FAILED="A mailing could not be delivered for good.",
    OTHER="Anything else.",
)
describe_values(
    InteractionOutcome,
    "How an interaction ended.",
    ATTENDED="The customer came.",
    NO_SHOW="The customer did not come.",
    CANCELLED="It was called off.",
    PAID="The payment was made.",
    FAILED="The payment failed.",
    VOID="The payment was taken back.",
)
describe_values(Direction, "Who began.", INBOUND="The customer.", OUTBOUND="The business.")
describe_values(
    BulkDeletePolicy,
    "Which customers may be deleted many at once.",
    TO_BE_ASSIGNED_ONLY="Only those that wait to be assigned.",
    ANY="Any.",
    NONE="None.",
)
describe_values(
    DepartmentAssignment,
    "What assigning to a department means.",
    EXPAND="Its active members get the customers by turns.",
    QUEUE="The customers wait in the department's queue.",
)
describe_values(
    AssignmentStrategy,
    "How an assignment rule chooses among its agents.",
    ROUND_ROBIN="By turns, in the rule's order; it goes on where it stopped.",
    LEAST_LOADED="Whoever has the fewest customers; of several, the first in the rule's order.",
)
describe_values(
    AutomationRule,
    "What makes a LEAD a CUSTOMER by itself.",
    PAYMENT="A payment that was made.",
    APPOINTMENT="An appointment that was kept.",
    EVENT="An event that was attended.",
    MESSAGE="A message from the customer.",
)
describe_values(
    Outcome,
    "What was done.",
    CREATED="It was made.",
    UPDATED="It was changed.",
    UNCHANGED="It was so already.",
    DELETED="It was deleted.",
    MERGED="It was merged into another.",
    SKIPPED="It was left as it is.",
    FAILED="It was refused.",
)
describe_values(
    ChangeAction,
    "What was done to a record.",
    CREATED="It was made.",
    UPDATED="It was changed.",
    DELETED="It was deleted.",
    MERGED="It was merged into another.",
)
describe_values(
    CustomerAction,
    "What can be done to a customer.",
    UPDATE="Change the details.",
    TAG="Put tags on and take them off.",
    CHANGE_STATUS="Move the relationship and the subscription.",
    ASSIGN="Choose who looks after the customer.",
    CLAIM="Take the customer for oneself.",
    RELEASE="Give the customer back.",
    VERIFY="Say whether the details are right.",
    ARCHIVE="Put the customer away.",
    UNARCHIVE="Bring the customer back.",
    BLOCK="Keep the customer from being assigned.",
    UNBLOCK="Let the customer be assigned again.",
    MERGE="Merge the customer with others.",
    DELETE="Delete the customer for ever.",
    NOTE="Write a note.",
    EXPORT="Put the customer into a file.",
)

describe_values(
    JobKind,
    "What a job does.",
    UPDATE="Changes customers alike.",
    UPSERT="Makes and changes customers, each with values of its own.",
    ASSIGN="Assigns customers.",
    RELEASE="Takes customers from their owners.",
    CLAIM="Gives customers of the pool to who asks.",
    VERIFY="Says whether customers are real.",
    ARCHIVE="Puts customers away.",
    UNARCHIVE="Fetches archived customers back.",
    BLOCK="Blocks customers.",
    UNBLOCK="Ends blocks.",
    DELETE="Deletes customers for ever.",
    IMPORT="Reads customers from a file.",
    EXPORT="Writes customers to a file.",
    SEGMENT_MEMBERS="Puts customers into a segment or takes them out.",
    INTERACTIONS="Records interactions.",
    MERGE="Makes one customer of several.",
    UNDO="Undoes another job.",
    RETRY="Tries the failed rows of another job again.",
    RECLAIM="Returns idle customers to the pool.",
)
describe_values(
    JobStatus,
    "How far a job is.",
    QUEUED="Waits for a worker.",
    RUNNING="Is being worked on.",
    DONE="Ended; every row went well, or was skipped.",
    DONE_WITH_ERRORS="Ended; some rows failed.",
    FAILED="Broke off: see `error`. With ABORT nothing was done.",
    CANCELLING="Stops at the end of its chunk.",
    CANCELLED="Was cancelled; what was done stays done.",
)
describe_values(
    DuplicateKey,
    "What two customers who may be one person share.",
    PHONE="A number, in any notation, the primary one or another.",
    EMAIL="An address, whatever its case, the primary one or another.",
    NAME="The name, whatever its case and accents.",
)
