"""Computes the merged customer from several: which value of each field wins. Nothing is written here (SM19)."""

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
"""From the loosest to the strictest: people who have refused mailings stay unsubscribed after a merge."""

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
"""Fields with one column each. Without a chosen customer, the first non-empty value wins. A value of 0 counts as
empty."""


@dataclass(frozen=True, slots=True)
class FieldMerge:
    """Merges `others` in their order into `survivor`. `winners` are the customers chosen for fields; `fields` are the
    custom fields."""

    survivor: LoadedCustomer
    others: Sequence[LoadedCustomer]
    winners: Mapping[str, LoadedCustomer]
    fields: Sequence[Any]
    now: int

    @property
    def customers(self) -> tuple[LoadedCustomer, ...]:
        return (self.survivor, *self.others)

    def apply(self) -> None:
        """Changes the survivor in memory."""
        before = dict(vars(self.survivor.row))
        self._columns()
        self._company()
        self._owner(before)
        self._statuses()
        self._lists()
        self._values()
        self._block()

    def _first(self, field: str, value_of: Callable[[LoadedCustomer], Any]) -> Any:
        """The chosen customer's value, else the survivor's, else the first non-empty one."""
        if field in self.winners:
            return value_of(self.winners[field])
        return next(
            (value for value in map(value_of, self.customers) if not _is_empty(field, value)), value_of(self.survivor)
        )

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
        """Sets the owner. The owner's customer also determines owned since, follow-up stage and department."""
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
        survivor, customers = self.survivor, self.customers
        survivor.phones = self._united("phone", "phones", lambda state: state.phones, str)
        survivor.emails = self._united("email", "emails", lambda state: state.emails, email_key)
        survivor.external_ids = list(dict.fromkeys(pair for state in customers for pair in state.external_ids))
        survivor.tags = {key: tag for state in customers for key, tag in state.tags.items()}
        survivor.friends = list(dict.fromkeys(friend_id for state in customers for friend_id in state.friends))

    def _united(
        self,
        single_field: str,
        list_field: str,
        values_of: Callable[[LoadedCustomer], Sequence[str]],
        key: Callable[[str], str],
    ) -> list[str]:
        preferred = [*values_of(self.winners[single_field])[:1]] if single_field in self.winners else []
        if list_field in self.winners:
            preferred += values_of(self.winners[list_field])
        values_by_key: dict[str, str] = {}
        for value in (*preferred, *(value for state in self.customers for value in values_of(state))):
            values_by_key.setdefault(key(value), value)
        return list(values_by_key.values())

    def _values(self) -> None:
        for field in self.fields:
            winner = self.winners.get(f"custom.{field.key}")
            candidates = [state.values.get(field.id) for state in ((winner,) if winner else self.customers)]
            if winner and field.required and candidates == [None]:
                candidates = [state.values.get(field.id) for state in self.customers]
            value = next((value for value in candidates if value is not None), None)
            if value is None:
                self.survivor.values.pop(field.id, None)
            else:
                self.survivor.values[field.id] = value

    def _block(self) -> None:
        """Of several active blocks, the one that lasts longest wins."""
        active_blocks = [
            state.block for state in self.customers if state.block is not None and state.is_blocked(self.now)
        ]
        if active_blocks:
            forever = float("inf")
            longest = max(active_blocks, key=lambda block: forever if block.until is None else block.until)
            if longest is not self.survivor.block:
                longest.customer_id = self.survivor.id
                self.survivor.block = longest


def _is_empty(field: str, value: Any) -> bool:
    """Whether the value counts as empty. The code 0 of FEMALE does not."""
    return value is None or value == "" or (field == "value" and not value)


def strictest(states: Sequence[LoadedCustomer]) -> int:
    """The strictest subscription status of several customers."""
    return int(
        max((SubscriptionStatus(state.row.subscription_status) for state in states), key=SUBSCRIPTION_STRICTNESS.index)
    )
