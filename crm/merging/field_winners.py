"""What one customer becomes of several: whose value of each field stays. Nothing is written here (SM19)."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from crm.customers.loaded_customer import LoadedCustomer
from db.tables.enums import CustomerStage, SubscriptionStatus
from db.values.folding import email_key

SUBSCRIPTION_STRICTNESS: Final = (
    SubscriptionStatus.SUBSCRIBED,
    SubscriptionStatus.NOT_SUBSCRIBED,
    SubscriptionStatus.UNSUBSCRIBED,
    SubscriptionStatus.DELETED,
)
"""From the loosest to the strictest: who refused mailings once, refuses them after a merge."""

MERGED_COLUMNS: Final[Mapping[str, str]] = {
    "name": "name",
    "nickname": "nickname",
    "realName": "real_name",
    "avatarUrl": "avatar_url",
    "gender": "gender",
    "birthDate": "birth_date",
    "value": "value",
    "source": "source",
    "channel": "channel",
    "address.line1": "address_line1",
    "address.line2": "address_line2",
    "address.city": "city",
    "address.region": "region",
    "address.postalCode": "postal_code",
    "address.country": "country",
}
"""Fields that are a column each; where nobody is named for one, an empty one is filled. A value of 0 is empty."""

UNITED: Final = frozenset({"tags", "wechatFriends", "phones", "emails", "phone", "email"})
"""Fields of which nothing is lost, whoever is named: phones and e-mails of the one named come first."""

CHOSEN: Final = frozenset(
    {
        "relationshipStatus",
        "subscriptionStatus",
        "followUpStage",
        "resellerRelationship",
        "company",
        "owner",
        "department",
    }
)
"""Fields with a rule of their own that somebody can be named for."""


@dataclass(frozen=True, slots=True)
class FieldMerge:
    """`into` takes in `others`, in their order; `winners` are named for fields; `fields` are the custom ones."""

    survivor: LoadedCustomer
    others: Sequence[LoadedCustomer]
    winners: Mapping[str, LoadedCustomer]
    fields: Sequence[Any]
    now: int

    @property
    def customers(self) -> tuple[LoadedCustomer, ...]:
        return (self.survivor, *self.others)

    def apply(self) -> None:
        """Changes `into` in memory."""
        before = dict(vars(self.survivor.row))
        self._columns()
        self._company()
        self._owner(before)
        self._statuses()
        self._lists()
        self._values()
        self._block()

    def _first(self, field: str, held: Callable[[LoadedCustomer], Any]) -> Any:
        """The named one's, else the survivor's, else that of the first who has one."""
        if field in self.winners:
            return held(self.winners[field])
        return next((value for value in map(held, self.customers) if not _empty(field, value)), held(self.survivor))

    def _columns(self) -> None:
        for field, column in MERGED_COLUMNS.items():
            value = self._first(field, lambda state, column=column: getattr(state.row, column))  # type: ignore[misc] # bound at once
            setattr(self.survivor.row, column, value)
        moments = [state.row.last_interaction_at for state in self.customers if state.row.last_interaction_at]
        self.survivor.row.last_interaction_at = max(moments, default=None)

    def _company(self) -> None:
        self.survivor.company = self._first("company", lambda state: state.company)
        self.survivor.row.company_id = self.survivor.company and self.survivor.company.id

    def _owner(self, before: Mapping[str, Any]) -> None:
        """The owner brings what belongs to looking after a customer: since when, how far, in which department."""
        row = self.survivor.row
        source = self.winners.get("owner")
        if source is None or source.row.owner_id is None:
            source = next((state for state in self.customers if state.row.owner_id is not None), self.survivor)
        if source is not self.survivor and source.row.owner_id != before["owner_id"]:
            row.previous_owner_id = before["owner_id"] or row.previous_owner_id or source.row.previous_owner_id
            row.owner_id, row.owned_since = source.row.owner_id, source.row.owned_since
            row.stage, row.follow_up_stage = int(CustomerStage.FOLLOW_UP), source.row.follow_up_stage
            row.department_id = source.row.department_id
        if "department" in self.winners or row.department_id is None:
            row.department_id = self._first("department", lambda state: state.row.department_id)
        if row.stage == CustomerStage.FOLLOW_UP:
            row.follow_up_stage = self._first("followUpStage", lambda state: state.row.follow_up_stage)

    def _statuses(self) -> None:
        row = self.survivor.row
        if "relationshipStatus" in self.winners:
            row.relationship_status = self.winners["relationshipStatus"].row.relationship_status
        else:
            row.relationship_status = max(state.row.relationship_status for state in self.customers)
        row.subscription_status = strictest(self.customers)
        if "resellerRelationship" in self.winners:
            row.reseller_relationship = self.winners["resellerRelationship"].row.reseller_relationship

    def _lists(self) -> None:
        into, everybody = self.survivor, self.customers
        into.phones = self._united("phone", "phones", lambda state: state.phones, str)
        into.emails = self._united("email", "emails", lambda state: state.emails, email_key)
        into.external_ids = list(dict.fromkeys(pair for state in everybody for pair in state.external_ids))
        into.tags = {key: tag for state in everybody for key, tag in state.tags.items()}
        into.friends = list(dict.fromkeys(one for state in everybody for one in state.friends))

    def _united(
        self, one: str, many: str, held: Callable[[LoadedCustomer], Sequence[str]], key: Callable[[str], str]
    ) -> list[str]:
        first = [*held(self.winners[one])[:1]] if one in self.winners else []
        if many in self.winners:
            first += held(self.winners[many])
        found: dict[str, str] = {}
        for value in (*first, *(value for state in self.customers for value in held(state))):
            found.setdefault(key(value), value)
        return list(found.values())

    def _values(self) -> None:
        for field in self.fields:
            winner = self.winners.get(f"custom.{field.key}")
            held = [state.values.get(field.id) for state in ((winner,) if winner else self.customers)]
            if winner and field.required and held == [None]:
                held = [state.values.get(field.id) for state in self.customers]
            value = next((value for value in held if value is not None), None)
            if value is None:
                self.survivor.values.pop(field.id, None)
            else:
                self.survivor.values[field.id] = value

    def _block(self) -> None:
        """Of several blocks that hold, the one that holds longest."""
        held = [state.block for state in self.customers if state.block is not None and state.is_blocked(self.now)]
        if held:
            forever = float("inf")
            longest = max(held, key=lambda block: forever if block.until is None else block.until)
            if longest is not self.survivor.block:
                longest.customer_id = self.survivor.id
                self.survivor.block = longest


def _empty(field: str, value: Any) -> bool:
    """FEMALE is the first of its enum, and no emptiness."""
    return value is None or value == "" or (field == "value" and not value)


def strictest(states: Sequence[LoadedCustomer]) -> int:
    """The subscription of several who are one."""
    return int(
        max((SubscriptionStatus(one.row.subscription_status) for one in states), key=SUBSCRIPTION_STRICTNESS.index)
    )
