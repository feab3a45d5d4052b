"""Reads customer inputs: validates them on their own, before any customer is loaded."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final
from zoneinfo import ZoneInfo

from crm import references
from crm.customers.tag_changes import TagChanges
from crm.errors import ErrorCode, InputError, LimitError, Path
from crm.references import References, load_agents, load_companies, load_tags
from crm.unit_of_work import UnitOfWork
from crm.values import custom_values, text_values
from crm.values.addresses import ADDRESS_PARTS
from crm.values.custom_values import CustomValue
from db.tables.enums import EntityType
from db.values.folding import fold

MAX_CONTACTS_PER_CUSTOMER: Final = 50
"""Maximum number of phones, of emails and of external ids of one customer."""

CustomerData = Mapping[str, Any]
"""An input as plain data: absent keys are missing, null is None."""

_TEXT_COLUMNS: Final[tuple[tuple[str, str, int], ...]] = (
    ("nickname", "nickname", text_values.MAX_NAME_LENGTH),
    ("real_name", "realName", text_values.MAX_NAME_LENGTH),
    ("source", "source", text_values.MAX_WORD_LENGTH),
    ("channel", "channel", text_values.MAX_WORD_LENGTH),
)
_PARTS_BY_KEY: Final[Mapping[str, frozenset[str]]] = {
    **dict.fromkeys(("name", "nickname", "real_name", "address"), frozenset({"search_text"})),
    **dict.fromkeys(("phones", "phone"), frozenset({"phones", "search_text"})),
    **dict.fromkeys(("emails", "email"), frozenset({"emails", "search_text"})),
    "external_ids": frozenset({"external_ids", "search_text"}),
    "company": frozenset({"company", "search_text"}),
    "tags": frozenset({"tags", "search_text"}),
    "custom_fields": frozenset({"values", "search_text"}),
    "wechat_friends": frozenset({"friends"}),
}
"""The parts of a customer that each input key needs. A change of many customers loads only what it uses."""


@dataclass(slots=True)
class CustomerChange:
    """The validated change of a customer. Absent values stay unchanged; `errors` are the errors of the input."""

    data: CustomerData
    path: Path
    columns: dict[str, Any] = field(default_factory=dict)
    phones: list[str] | None = None
    phone: str | None = None
    emails: list[str] | None = None
    email: str | None = None
    external_ids: list[tuple[str, str]] | None = None
    tags: TagChanges | None = None
    friends: Mapping[str, list[bytes]] | None = None
    values: dict[bytes, tuple[CustomValue | None, Path]] = field(default_factory=dict)
    owner: Any = None
    company: Any = None
    errors: list[InputError] = field(default_factory=list)

    def has(self, name: str) -> bool:
        return name in self.data

    @property
    def parts(self) -> frozenset[str]:
        """The parts of a customer that the change needs."""
        parts: frozenset[str] = frozenset().union(*(_PARTS_BY_KEY[name] for name in self.data if name in _PARTS_BY_KEY))
        return parts | {"block"} if self.data.get("owner") is not None else parts

    def path_to(self, *steps: str | int) -> Path:
        return (*self.path, *steps)


async def read_inputs(
    unit: UnitOfWork, inputs: Sequence[tuple[CustomerData, Path]]
) -> tuple[list[CustomerChange], References]:
    """Reads the changes of many inputs and loads the records they refer to, with a handful of statements for any number
    of inputs."""
    references = await _load_references(unit, [data for data, _ in inputs])
    country = (await unit.settings()).default_country
    fields = {field_.key: field_ for field_ in await unit.custom_fields(EntityType.CUSTOMER) if field_.active}
    today = datetime.fromtimestamp(unit.now / 1000, UTC).astimezone(ZoneInfo((await unit.settings()).timezone))
    changes = []
    for data, path in inputs:
        change = CustomerChange(data, path)
        _InputReader(change, references, country, fields, today.date().isoformat()).read_all()
        changes.append(change)
    return changes, references


async def _load_references(unit: UnitOfWork, inputs: Sequence[CustomerData]) -> References:
    references = References()
    tag_changes = [item.get("tags") or {} for item in inputs]
    await load_tags(
        unit,
        references,
        (reference for item in tag_changes for key in _LIST_OPERATIONS for reference in item.get(key) or ()),
    )
    friend_changes = [item.get("wechat_friends") or {} for item in inputs]
    agent_references = [
        reference for item in friend_changes for key in _LIST_OPERATIONS for reference in item.get(key) or ()
    ]
    await load_agents(unit, references, [*agent_references, *(item["owner"] for item in inputs if item.get("owner"))])
    await load_companies(unit, references, [item["company"] for item in inputs if item.get("company")])
    return references


_LIST_OPERATIONS: Final = ("add", "remove", "set")


class _InputReader:
    """Reads one input. It collects the errors, so that a person sees all of them at once."""

    def __init__(
        self, change: CustomerChange, references: References, country: str | None, fields: Mapping[str, Any], today: str
    ) -> None:
        self.change = change
        self.data = change.data
        self.references = references
        self.country = country
        self.fields = fields
        self.today = today

    def read_all(self) -> None:
        for part in (self._name, self._texts, self._plain, self._address, self._phones, self._emails):
            part()
        for part in (self._external_ids, self._owner_and_company, self._tags, self._friends, self._values):
            part()

    def _try(self, reader: Callable[..., Any], *arguments: Any, **options: Any) -> Any:
        try:
            return reader(*arguments, **options)
        except InputError as error:
            self.change.errors.append(error)
            return None

    def _name(self) -> None:
        if "name" in self.data:
            name = self._try(text_values.read_required_text, self.data["name"], self.change.path_to("name"), "a name")
            self.change.columns["name"] = name

    def _texts(self) -> None:
        for key, name, max_length in _TEXT_COLUMNS:
            if key in self.data:
                self.change.columns[key] = self._try(
                    text_values.read_text, self.data[key], self.change.path_to(name), max_length=max_length
                )
        if "avatar_url" in self.data:
            self.change.columns["avatar_url"] = self._try(
                text_values.read_url, self.data["avatar_url"], self.change.path_to("avatarUrl")
            )

    def _plain(self) -> None:
        columns, data = self.change.columns, self.data
        if "gender" in data:
            columns["gender"] = data["gender"] if data["gender"] is None else int(data["gender"])
        if "birth_date" in data:
            birth_date = columns["birth_date"] = data["birth_date"]
            if birth_date is not None and birth_date > self.today:
                message = f"The birth date {birth_date} is in the future; enter an earlier date."
                self.change.errors.append(InputError(ErrorCode.INVALID, message, self.change.path_to("birthDate")))
        if "value" in data:
            columns["value"] = data["value"] or 0
        for key, name in _NOT_NULL_KEYS.items():
            if key in data and data[key] is None:
                message = "This cannot be empty; leave it out to keep the current value."
                self.change.errors.append(InputError(ErrorCode.INVALID, message, self.change.path_to(name)))

    def _address(self) -> None:
        if "address" not in self.data:
            return
        address = self.data["address"]
        for key, column, name in ADDRESS_PARTS:
            if address is None:
                self.change.columns[column] = None
            elif key in address:
                path = self.change.path_to("address", name)
                self.change.columns[column] = self._try(
                    text_values.read_text, address[key], path, max_length=text_values.MAX_LINE_LENGTH
                )

    def _phones(self) -> None:
        if "phones" in self.data:
            self.change.phones = self._each(
                "phones", lambda text, path: text_values.read_phone(text, self.country, path)
            )
        if self.data.get("phone") is not None:
            self.change.phone = self._try(
                text_values.read_phone, self.data["phone"], self.country, self.change.path_to("phone")
            )

    def _emails(self) -> None:
        if "emails" in self.data:
            addresses = self._each("emails", text_values.read_email)
            self.change.emails = list({fold(address): address for address in reversed(addresses)}.values())[::-1]
        if self.data.get("email") is not None:
            self.change.email = self._try(text_values.read_email, self.data["email"], self.change.path_to("email"))

    def _external_ids(self) -> None:
        if "external_ids" in self.data:
            external_ids = self._each("external_ids", references.read_external_id, "externalIds")
            self.change.external_ids = external_ids

    def _each(self, key: str, reader: Callable[[Any, Path], Any], name: str | None = None) -> list[Any]:
        """Reads a list that replaces the current one; repeated entries are dropped."""
        path = self.change.path_to(name or key)
        entries = self.data[key] or []
        if len(entries) > MAX_CONTACTS_PER_CUSTOMER:
            message = f"A customer can have at most {MAX_CONTACTS_PER_CUSTOMER} of these, but you gave {len(entries)}."
            self.change.errors.append(LimitError(message, path, limit=MAX_CONTACTS_PER_CUSTOMER, current=len(entries)))
            return []
        results = [self._try(reader, item, (*path, index)) for index, item in enumerate(entries)]
        return list(dict.fromkeys(item for item in results if item is not None))

    def _owner_and_company(self) -> None:
        change, references = self.change, self.references
        if self.data.get("owner") is not None:
            change.owner = self._try(references.agent, self.data["owner"], change.path_to("owner"))
        if self.data.get("company") is not None:
            change.company = self._try(references.company, self.data["company"], change.path_to("company"))

    def _tags(self) -> None:
        if "tags" in self.data:
            tag_data = self.data["tags"] if self.data["tags"] is not None else {"set": []}
            self.change.tags = TagChanges(tag_data, self.change.path_to("tags"))

    def _friends(self) -> None:
        if "wechat_friends" not in self.data:
            return
        friend_data = self.data["wechat_friends"]
        friend_data = {"set": []} if friend_data is None else friend_data
        friends: dict[str, list[bytes]] = {}
        for key in _LIST_OPERATIONS:
            if friend_data.get(key) is not None:
                path = self.change.path_to("wechatFriends", key)
                agents = [
                    self._try(self.references.agent, reference, (*path, index))
                    for index, reference in enumerate(friend_data[key])
                ]
                friends[key] = [agent.id for agent in agents if agent is not None]
        self.change.friends = friends

    def _values(self) -> None:
        if "custom_fields" in self.data and self.data["custom_fields"] is None:
            for field_ in self.fields.values():
                self._value(field_, None, self.change.path_to("customFields"))
        for index, entry in enumerate(self.data.get("custom_fields") or ()):
            path = self.change.path_to("customFields", index)
            field_ = self.fields.get(entry["key"])
            if field_ is None:
                message = f"There is no custom field “{entry['key']}” in this workspace."
                self.change.errors.append(InputError(ErrorCode.FIELD_UNKNOWN, message, (*path, "key")))
            else:
                self._value(field_, entry.get("value"), (*path, "value"))

    def _value(self, field_: Any, value_data: Any, path: Path) -> None:
        value = self._try(custom_values.read_value, field_, value_data, path, country=self.country)
        self.change.values[field_.id] = (value, path)


_NOT_NULL_KEYS: Final = {
    "relationship_status": "relationshipStatus",
    "subscription_status": "subscriptionStatus",
    "reseller_relationship": "resellerRelationship",
    "stage": "stage",
}
