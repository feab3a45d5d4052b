"""The tables: columns, constraints and indexes, no behaviour. `metadata` describes them all."""

from sqlmodel import SQLModel

from db.tables.accounts import Account, ApiKey, SignIn, SignInFailure
from db.tables.activities import Interaction, Note, Order
from db.tables.agents import Agent, AgentDepartment, AgentPermission, Department
from db.tables.change_log import Change, Delivery, Webhook
from db.tables.companies import Company, CompanyExternalId
from db.tables.custom_fields import CompanyValue, CustomerValue, CustomField
from db.tables.customers import (
    Customer,
    CustomerAlias,
    CustomerBlock,
    CustomerEmail,
    CustomerExternalId,
    CustomerPhone,
    CustomerSearch,
    DuplicateDismissal,
    WechatFriend,
)
from db.tables.jobs import Job, JobFile, JobRow, JobTarget, Upload
from db.tables.rules import AssignmentRule, AssignmentRuleMember, Claim
from db.tables.saved_views import SavedView
from db.tables.segments import Segment, SegmentMember
from db.tables.tags import CustomerTag, Tag
from db.tables.workspaces import Counter, Directory, Idempotency, Workspace

metadata = SQLModel.metadata

# Found before a workspace is known, by an address, a token or a workspace's public id, and so not spread by it.
GLOBAL = frozenset({"directory", "account", "sign_in", "sign_in_failure", "api_key"})

__all__ = [
    "GLOBAL",
    "Account",
    "Agent",
    "AgentDepartment",
    "AgentPermission",
    "ApiKey",
    "AssignmentRule",
    "AssignmentRuleMember",
    "Change",
    "Claim",
    "Company",
    "CompanyExternalId",
    "CompanyValue",
    "Counter",
    "CustomField",
    "Customer",
    "CustomerAlias",
    "CustomerBlock",
    "CustomerEmail",
    "CustomerExternalId",
    "CustomerPhone",
    "CustomerSearch",
    "CustomerTag",
    "CustomerValue",
    "Delivery",
    "Department",
    "Directory",
    "DuplicateDismissal",
    "Idempotency",
    "Interaction",
    "Job",
    "JobFile",
    "JobRow",
    "JobTarget",
    "Note",
    "Order",
    "SavedView",
    "Segment",
    "SegmentMember",
    "SignIn",
    "SignInFailure",
    "Tag",
    "Upload",
    "Webhook",
    "WechatFriend",
    "Workspace",
    "metadata",
]
