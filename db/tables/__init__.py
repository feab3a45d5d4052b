"""The tables: columns, constraints and indexes, without behaviour. `metadata` describes all of them."""

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

# Global tables: looked up before the workspace is known, by an e-mail address, a token or a public id, and therefore
# not distributed by workspace.
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
