"""The fields of customers and companies, by the keys that columns, imports, merges and the log use."""

from dataclasses import dataclass
from typing import Final

from db.tables.enums import EntityType


@dataclass(frozen=True, slots=True)
class RecordField:
    """A built-in field. `type` is the name of its type in the schema."""

    key: str
    label: str
    type: str = "String"
    filterable: bool = False
    sortable: bool = False
    exportable: bool = True
    importable: bool = True


def _field(key: str, label: str, type: str = "String", capabilities: str = "ei") -> RecordField:
    """`ways`: f filterable, s sortable, e exportable, i importable."""
    return RecordField(
        key, label, type, "f" in capabilities, "s" in capabilities, "e" in capabilities, "i" in capabilities
    )


_ADDRESS: Final = (
    ("address.line1", "Address line 1", ""),
    ("address.line2", "Address line 2", ""),
    ("address.city", "City", "f"),
    ("address.region", "Region", "f"),
    ("address.postalCode", "Postal code", ""),
    ("address.country", "Country", "f"),
)

CUSTOMER_FIELDS: Final = (
    _field("id", "Id", "ID", "fsei"),
    _field("name", "Name", capabilities="fsei"),
    _field("nickname", "Nickname", capabilities="fsei"),
    _field("realName", "Real name", capabilities="fei"),
    _field("avatarUrl", "Picture"),
    _field("phone", "Phone", capabilities="fsei"),
    _field("phones", "Phones", "[String!]"),
    _field("email", "E-mail", capabilities="fsei"),
    _field("emails", "E-mails", "[String!]"),
    _field("gender", "Gender", "Gender", "fsei"),
    _field("birthDate", "Birth date", "Date", "fsei"),
    _field("value", "Value", "Decimal", "fsei"),
    _field("source", "Source", capabilities="fei"),
    _field("channel", "Channel", capabilities="fei"),
    _field("relationshipStatus", "Relationship", "RelationshipStatus", "fsei"),
    _field("subscriptionStatus", "Subscription", "SubscriptionStatus", "fsei"),
    _field("stage", "Stage", "CustomerStage", "fsei"),
    _field("verification", "Verification", "Verification", "fe"),
    _field("followUpStage", "Follow-up", capabilities="fei"),
    _field("resellerRelationship", "Reseller relationship", "Boolean", "fei"),
    _field("archivedAt", "Archived", "DateTime", "fe"),
    _field("createdAt", "Created", "DateTime", "fse"),
    _field("updatedAt", "Changed", "DateTime", "fse"),
    _field("tags", "Tags", "[Tag!]", "fsei"),
    _field("wechatFriends", "WeChat friends", "[Agent!]", "fe"),
    *(_field(key, label, capabilities=ways + "ei") for key, label, ways in _ADDRESS),
    _field("company", "Company", "Company", "fsei"),
    _field("owner", "Owner", "Agent", "fsei"),
    _field("department", "Department", "Department", "fe"),
)

COMPANY_FIELDS: Final = (
    _field("id", "Id", "ID", "fse"),
    _field("name", "Name", capabilities="fse"),
    _field("domain", "Domain", capabilities="fe"),
    _field("phone", "Phone", capabilities="e"),
    *(_field(key, label, capabilities="e") for key, label, _ in _ADDRESS),
    _field("owner", "Owner", "Agent", "e"),
    _field("createdAt", "Created", "DateTime", "fse"),
    _field("updatedAt", "Changed", "DateTime", "e"),
)

FIELDS_BY_ENTITY: Final = {EntityType.CUSTOMER: CUSTOMER_FIELDS, EntityType.COMPANY: COMPANY_FIELDS}


def external_id_field(system: str, entity: EntityType) -> RecordField:
    """The field of an id in an external system."""
    capabilities = "fei" if entity is EntityType.CUSTOMER else "fe"
    return _field(f"externalId.{system}", f"Id in {system}", capabilities=capabilities)
