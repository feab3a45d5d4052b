"""What a person wants of a customer: inputs checked on their own, before anybody's customer is looked at."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final
from zoneinfo import ZoneInfo

from crm import references
from crm.customers.loaded_customer import load_custom_fields
from crm.customers.tag_changes import TagChanges
from crm.errors import ErrorCode, InputError, LimitError, Path
from crm.references import References, load_agents, load_companies, load_tags
from crm.unit_of_work import UnitOfWork
from crm.values import custom_values, text_values
from crm.values.custom_values import CustomValue
from db.values.folding import fold

MAX_CONTACTS_PER_CUSTOMER: Final = 50
"""Phones, e-mails, external ids of one customer."""

CustomerData = Mapping[str, Any]
"""An input as plain data: what is absent is not in it, what is null is None."""

_TEXTS: Final[tuple[tuple[str, str, int], ...]] = (
    ("nickname", "nickname", text_values.MAX_NAME_LENGTH),
    ("real_name", "realName", text_values.MAX_NAME_LENGTH),
    ("source", "source", text_values.MAX_WORD_LENGTH),
    ("channel", "channel", text_values.MAX_WORD_LENGTH),
)
_ADDRESS: Final[tuple[tuple[str, str, str], ...]] = (
    ("line1", "address_line1", "line1"),
    ("line2", "address_line2", "line2"),
    ("city", "city", "city"),
    ("region", "region", "region"),
    ("postal_code", "postal_code", "postalCode"),
    ("country", "country", "country"),
)
_PARTS: Final[Mapping[str, frozenset[str]]] = {
    **dict.fromkeys(("name", "nickname", "real_name", "address"), frozenset({"search_text"})),
    **dict.fromkeys(("phones", "phone"), frozenset({"phones", "search_text"})),
    **dict.fromkeys(("emails", "email"), frozenset({"emails", "search_text"})),
    "external_ids": frozenset({"external_ids", "search_text"}),
    "company": frozenset({"company", "search_text"}),
    "tags": frozenset({"tags", "search_text"}),
    "custom_fields": frozenset({"values", "search_text"}),
    "wechat_friends": frozenset({"friends"}),
}
"""What of a customer is loaded to change each: no more, so that a change of many reads what it looks at."""


@dataclass(slots=True)
class CustomerChange:
    """What is to become of a customer. Absent things stay as they are; `refused` is what cannot be taken at all."""

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
        """What of a customer has to be loaded for it."""
        parts: frozenset[str] = frozenset().union(*(_PARTS[name] for name in self.data if name in _PARTS))
        return parts | {"block"} if self.data.get("owner") is not None else parts

    def path_to(self, *steps: str | int) -> Path:
        return (*self.path, *steps)


async def read_inputs(
    unit: UnitOfWork, inputs: Sequence[tuple[CustomerData, Path]]
) -> tuple[list[CustomerChange], References]:
    """The changes that the inputs ask for, and all that they name: a handful of statements, however many inputs."""
    references = await _references(unit, [given for given, _ in inputs])
    country = (await unit.settings()).default_country
    fields = {one.key: one for one in await load_custom_fields(unit) if one.active}
    today = datetime.fromtimestamp(unit.now / 1000, UTC).astimezone(ZoneInfo((await unit.settings()).timezone))
    changes = []
    for given, path in inputs:
        change = CustomerChange(given, path)
        _Reading(change, references, country, fields, today.date().isoformat()).read()
        changes.append(change)
    return changes, references


async def _references(unit: UnitOfWork, inputs: Sequence[CustomerData]) -> References:
    references = References()
    tagged = [one.get("tags") or {} for one in inputs]
    await load_tags(unit, references, (ref for one in tagged for way in _WAYS for ref in one.get(way) or ()))
    friends = [one.get("wechat_friends") or {} for one in inputs]
    people = [ref for one in friends for way in _WAYS for ref in one.get(way) or ()]
    await load_agents(unit, references, [*people, *(one["owner"] for one in inputs if one.get("owner"))])
    await load_companies(unit, references, [one["company"] for one in inputs if one.get("company")])
    return references


_WAYS: Final = ("add", "remove", "set")


class _Reading:
    """One input on its way to being a change; what is wrong is gathered, so that a person sees all of it at once."""

    def __init__(
        self, change: CustomerChange, references: References, country: str | None, fields: Mapping[str, Any], today: str
    ) -> None:
        self.change = change
        self.given = change.data
        self.references = references
        self.country = country
        self.fields = fields
        self.today = today

    def read(self) -> None:
        for part in (self._name, self._texts, self._plain, self._address, self._phones, self._emails):
            part()
        for part in (self._external_ids, self._owner_and_company, self._tags, self._friends, self._values):
            part()

    def _try(self, read: Callable[..., Any], *arguments: Any, **named: Any) -> Any:
        try:
            return read(*arguments, **named)
        except InputError as refused:
            self.change.errors.append(refused)
            return None

    def _name(self) -> None:
        if "name" in self.given:
            name = self._try(text_values.read_required_text, self.given["name"], self.change.path_to("name"), "a name")
            self.change.columns["name"] = name

    def _texts(self) -> None:
        for key, name, longest in _TEXTS:
            if key in self.given:
                self.change.columns[key] = self._try(
                    text_values.read_text, self.given[key], self.change.path_to(name), longest=longest
                )
        if "avatar_url" in self.given:
            self.change.columns["avatar_url"] = self._try(
                text_values.read_url, self.given["avatar_url"], self.change.path_to("avatarUrl")
            )

    def _plain(self) -> None:
        columns, given = self.change.columns, self.given
        if "gender" in given:
            columns["gender"] = given["gender"] if given["gender"] is None else int(given["gender"])
        if "birth_date" in given:
            born = columns["birth_date"] = given["birth_date"]
            if born is not None and born > self.today:
                message = f"{born} is in the future; nobody is born then."
                self.change.errors.append(InputError(ErrorCode.INVALID, message, self.change.path_to("birthDate")))
        if "value" in given:
            columns["value"] = given["value"] or 0
        for key, name in _NEVER_NULL.items():
            if key in given and given[key] is None:
                message = "This cannot be empty; leave it out to keep it as it is."
                self.change.errors.append(InputError(ErrorCode.INVALID, message, self.change.path_to(name)))

    def _address(self) -> None:
        if "address" not in self.given:
            return
        address = self.given["address"]
        for key, column, name in _ADDRESS:
            if address is None:
                self.change.columns[column] = None
            elif key in address:
                path = self.change.path_to("address", name)
                self.change.columns[column] = self._try(
                    text_values.read_text, address[key], path, longest=text_values.MAX_LINE_LENGTH
                )

    def _phones(self) -> None:
        if "phones" in self.given:
            self.change.phones = self._each("phones", lambda one, path: text_values.read_phone(one, self.country, path))
        if self.given.get("phone") is not None:
            self.change.phone = self._try(
                text_values.read_phone, self.given["phone"], self.country, self.change.path_to("phone")
            )

    def _emails(self) -> None:
        if "emails" in self.given:
            kept = self._each("emails", text_values.read_email)
            self.change.emails = list({fold(one): one for one in reversed(kept)}.values())[::-1]
        if self.given.get("email") is not None:
            self.change.email = self._try(text_values.read_email, self.given["email"], self.change.path_to("email"))

    def _external_ids(self) -> None:
        if "external_ids" in self.given:
            kept = self._each("external_ids", references.read_external_id, "externalIds")
            self.change.external_ids = kept

    def _each(self, key: str, read: Callable[[Any, Path], Any], name: str | None = None) -> list[Any]:
        """A list that is replaced as a whole, each once."""
        path = self.change.path_to(name or key)
        given = self.given[key] or []
        if len(given) > MAX_CONTACTS_PER_CUSTOMER:
            message = f"There is room for {MAX_CONTACTS_PER_CUSTOMER} of them; these are {len(given)}."
            self.change.errors.append(LimitError(message, path, limit=MAX_CONTACTS_PER_CUSTOMER, current=len(given)))
            return []
        read_ = [self._try(read, one, (*path, place)) for place, one in enumerate(given)]
        return list(dict.fromkeys(one for one in read_ if one is not None))

    def _owner_and_company(self) -> None:
        change, references = self.change, self.references
        if self.given.get("owner") is not None:
            change.owner = self._try(references.agent, self.given["owner"], change.path_to("owner"))
        if self.given.get("company") is not None:
            change.company = self._try(references.company, self.given["company"], change.path_to("company"))

    def _tags(self) -> None:
        if "tags" in self.given:
            given = self.given["tags"] if self.given["tags"] is not None else {"set": []}
            self.change.tags = TagChanges(given, self.change.path_to("tags"))

    def _friends(self) -> None:
        if "wechat_friends" not in self.given:
            return
        given = self.given["wechat_friends"]
        given = {"set": []} if given is None else given
        friends: dict[str, list[bytes]] = {}
        for way in _WAYS:
            if given.get(way) is not None:
                path = self.change.path_to("wechatFriends", way)
                found = [self._try(self.references.agent, one, (*path, at)) for at, one in enumerate(given[way])]
                friends[way] = [agent.id for agent in found if agent is not None]
        self.change.friends = friends

    def _values(self) -> None:
        if "custom_fields" in self.given and self.given["custom_fields"] is None:
            for field_ in self.fields.values():
                self._value(field_, None, self.change.path_to("customFields"))
        for place, one in enumerate(self.given.get("custom_fields") or ()):
            path = self.change.path_to("customFields", place)
            field_ = self.fields.get(one["key"])
            if field_ is None:
                message = f"There is no custom field “{one['key']}” here."
                self.change.errors.append(InputError(ErrorCode.FIELD_UNKNOWN, message, (*path, "key")))
            else:
                self._value(field_, one.get("value"), (*path, "value"))

    def _value(self, field_: Any, given: Any, path: Path) -> None:
        value = self._try(custom_values.read_value, field_, given, path, country=self.country)
        self.change.values[field_.id] = (value, path)


_NEVER_NULL: Final = {
    "relationship_status": "relationshipStatus",
    "subscription_status": "subscriptionStatus",
    "reseller_relationship": "resellerRelationship",
    "stage": "stage",
}
