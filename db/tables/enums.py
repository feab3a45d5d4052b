"""Enums. Stored as the position of the value, so that they sort in declared order: append only."""

from enum import IntEnum


class Gender(IntEnum):
    FEMALE = 0
    MALE = 1
    OTHER = 2


class RelationshipStatus(IntEnum):
    LEAD = 0
    CUSTOMER = 1
    VIP = 2


class SubscriptionStatus(IntEnum):
    NOT_SUBSCRIBED = 0
    SUBSCRIBED = 1
    UNSUBSCRIBED = 2
    DELETED = 3


class CustomerStage(IntEnum):
    NEW = 0
    TO_BE_ASSIGNED = 1
    FOLLOW_UP = 2
    POOL = 3


class Verification(IntEnum):
    UNVERIFIED = 0
    VALID = 1
    INVALID = 2


class TagKind(IntEnum):
    BUSINESS = 0
    WECOM = 1


class SegmentKind(IntEnum):
    DYNAMIC = 0
    STATIC = 1


class Role(IntEnum):
    ADMIN = 0
    MANAGER = 1
    AGENT = 2


class Permission(IntEnum):
    CUSTOMER_VIEW = 0
    CUSTOMER_VIEW_ALL = 1
    CUSTOMER_CREATE = 2
    CUSTOMER_UPDATE = 3
    CUSTOMER_DELETE = 4
    CUSTOMER_BULK_DELETE = 5
    CUSTOMER_ASSIGN = 6
    CUSTOMER_CLAIM = 7
    CUSTOMER_ARCHIVE = 8
    CUSTOMER_BLOCK = 9
    CUSTOMER_IMPORT = 10
    CUSTOMER_EXPORT = 11
    CUSTOMER_MERGE = 12
    STATUS_CHANGE = 13
    CONSENT_RECORD = 14
    TAG_ASSIGN = 15
    TAG_MANAGE = 16
    SEGMENT_MANAGE = 17
    FIELD_MANAGE = 18
    COMPANY_MANAGE = 19
    NOTE_WRITE = 20
    NOTE_MANAGE = 21
    INTERACTION_RECORD = 22
    VIEW_SHARE = 23
    AGENT_MANAGE = 24
    RULE_MANAGE = 25
    SETTINGS_MANAGE = 26
    KEY_MANAGE = 27
    WEBHOOK_MANAGE = 28


class EntityType(IntEnum):
    CUSTOMER = 0
    COMPANY = 1


class CustomFieldType(IntEnum):
    TEXT = 0
    LONG_TEXT = 1
    NUMBER = 2
    BOOLEAN = 3
    DATE = 4
    DATE_TIME = 5
    SELECT = 6
    MULTI_SELECT = 7
    EMAIL = 8
    PHONE = 9
    URL = 10


class InteractionKind(IntEnum):
    CALL = 0
    MEETING = 1
    EMAIL = 2
    MESSAGE = 3
    APPOINTMENT = 4
    EVENT = 5
    PAYMENT = 6
    FOLLOW_UP = 7
    CARE = 8
    MARKETING_DELIVERED = 9
    MARKETING_VIEWED = 10
    MARKETING_CLICKED = 11
    OPT_IN = 12
    OPT_OUT = 13
    DELIVERY_FAILED = 14
    OTHER = 15


class InteractionOutcome(IntEnum):
    ATTENDED = 0
    NO_SHOW = 1
    CANCELLED = 2
    PAID = 3
    FAILED = 4
    VOID = 5


class Direction(IntEnum):
    INBOUND = 0
    OUTBOUND = 1


class AssignmentStrategy(IntEnum):
    ROUND_ROBIN = 0
    LEAST_LOADED = 1


class BulkDeletePolicy(IntEnum):
    TO_BE_ASSIGNED_ONLY = 0
    ANY = 1
    NONE = 2


class DepartmentAssignment(IntEnum):
    EXPAND = 0
    QUEUE = 1


class AutomationRule(IntEnum):
    PAYMENT = 0
    APPOINTMENT = 1
    EVENT = 2
    MESSAGE = 3


class JobKind(IntEnum):
    UPDATE = 0
    UPSERT = 1
    ASSIGN = 2
    RELEASE = 3
    CLAIM = 4
    VERIFY = 5
    ARCHIVE = 6
    UNARCHIVE = 7
    BLOCK = 8
    UNBLOCK = 9
    DELETE = 10
    IMPORT = 11
    EXPORT = 12
    SEGMENT_MEMBERS = 13
    INTERACTIONS = 14
    MERGE = 15
    UNDO = 16
    RETRY = 17
    RECLAIM = 18


class JobStatus(IntEnum):
    QUEUED = 0
    RUNNING = 1
    DONE = 2
    DONE_WITH_ERRORS = 3
    FAILED = 4
    CANCELLING = 5
    CANCELLED = 6


class Outcome(IntEnum):
    CREATED = 0
    UPDATED = 1
    UNCHANGED = 2
    DELETED = 3
    MERGED = 4
    SKIPPED = 5
    FAILED = 6


class FileFormat(IntEnum):
    CSV = 0
    XLSX = 1
    JSONL = 2


class DuplicateKey(IntEnum):
    PHONE = 0
    EMAIL = 1
    NAME = 2


class ChangeAction(IntEnum):
    CREATED = 0
    UPDATED = 1
    DELETED = 2
    MERGED = 3


class ActorKind(IntEnum):
    """The kind of actor: an agent, an API key, or the system itself (without an actor id)."""

    AGENT = 0
    API_KEY = 1
    SYSTEM = 2
