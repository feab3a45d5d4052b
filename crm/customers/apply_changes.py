"""Applies changes to customers in memory: every rule of one record, in the order of the checks."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from crm.assignment import stages
from crm.assignment.stages import AgentCapacity
from crm.cooperative import yield_periodically
from crm.customers import field_permissions, subscription_status, tag_changes, uniqueness
from crm.customers.inputs import CustomerChange
from crm.customers.loaded_customer import LoadedCustomer
from crm.errors import ErrorCode, InputError, TransitionError
from crm.references import References
from crm.unit_of_work import UnitOfWork
from db.tables.enums import CustomerStage, EntityType, RelationshipStatus, SubscriptionStatus
from db.values.folding import fold

CustomerChanges = Sequence[tuple[LoadedCustomer, CustomerChange]]


async def apply_changes(unit: UnitOfWork, pairs: CustomerChanges, references: References) -> None:
    """Changes each customer in memory. A customer with errors stores them and is not written.

    The customers are locked, visible, and have the parts that their changes need."""
    owners = {change.owner.id for _, change in pairs if change.owner is not None}
    owners |= {state.row.owner_id for state, _ in pairs if state.is_new and state.row.owner_id is not None}
    capacity = await stages.lock_agents(unit, owners)
    async for state, change in yield_periodically(pairs):
        if not state.errors:
            await _ChangeApplication(unit, state, change, references, capacity).apply()
    await uniqueness.check_uniqueness(unit, pairs)


class _ChangeApplication:
    """Applies one change to one customer. It collects the errors, so that a person sees all of them at once."""

    def __init__(
        self,
        unit: UnitOfWork,
        state: LoadedCustomer,
        change: CustomerChange,
        references: References,
        capacity: AgentCapacity,
    ) -> None:
        self.unit = unit
        self.state = state
        self.change = change
        self.references = references
        self.capacity = capacity

    async def apply(self) -> None:
        state, change = self.state, self.change
        state.errors += change.errors
        state.row.__dict__.update(change.columns)
        for name, rule in _RULES.items():
            if change.has(name):
                self._try(rule, self)
        if change.tags is not None:
            await self._tags(change.tags)
        await self._follow_up_stage()
        await self._required()
        # In the order of the checks.
        state.errors.sort(key=lambda error: _ERROR_ORDER.get(error.code, len(_ERROR_ORDER)))

    def _try(self, rule: Callable[..., Any], *arguments: Any) -> Any:
        try:
            return rule(*arguments)
        except InputError as error:
            self.state.add_error(error)
            return None

    # ── statuses ──────────────────────────────────────────────────────────────────────────────────────────────────────

    def _relationship(self) -> None:
        to, row = self.change.data["relationship_status"], self.state.row
        if to is not None and (self.state.is_new or to != row.relationship_status):
            field_permissions.check_status(self.unit, self.state, self.change.path_to("relationshipStatus"))
            row.relationship_status = int(RelationshipStatus(to))

    def _subscription(self) -> None:
        to, row = self.change.data["subscription_status"], self.state.row
        if to is None or (not self.state.is_new and to == row.subscription_status):
            return
        path = self.change.path_to("subscriptionStatus")
        field_permissions.check_status(self.unit, self.state, path)
        if not self.state.is_new:
            subscription_status.change_status(SubscriptionStatus(row.subscription_status), SubscriptionStatus(to), path)
        row.subscription_status = int(to)

    def _stage(self) -> None:
        to, path = self.change.data["stage"], self.change.path_to("stage")
        if to is None or (not self.state.is_new and to == self.state.row.stage):
            return
        if self.state.is_new and self.state.row.owner_id is not None:
            # A viewer who sees only their own customers is the owner of customers that they create.
            return
        if not self.state.is_new:
            message = "An update cannot change the stage; assign, release, claim or verify the customer instead."
            raise InputError(ErrorCode.FIELD_PROTECTED, message, path)
        owned = self.change.data.get("owner") is not None
        if to == CustomerStage.POOL or (to == CustomerStage.FOLLOW_UP and not owned):
            message = (
                f"A new customer cannot start in {CustomerStage(to).name}; choose an owner for FOLLOW_UP, or "
                "another stage."
            )
            raise InputError(ErrorCode.INVALID, message, path)
        self.state.row.stage = int(to)

    async def _follow_up_stage(self) -> None:
        row = self.state.row
        if self.change.has("follow_up_stage"):
            new_stage, path = self.change.data["follow_up_stage"], self.change.path_to("followUpStage")
            stages = (await self.unit.settings()).follow_up_stages
            if new_stage is not None and row.stage != CustomerStage.FOLLOW_UP:
                message = "Only a customer in FOLLOW_UP has a follow-up stage; assign the customer first."
                self.state.add_error(InputError(ErrorCode.INVALID, message, path))
            elif new_stage is not None and new_stage not in stages:
                message = f"“{new_stage}” is not a follow-up stage; choose one of {', '.join(stages)}."
                self.state.add_error(InputError(ErrorCode.INVALID, message, path))
            row.follow_up_stage = new_stage
        elif row.stage != CustomerStage.FOLLOW_UP:
            row.follow_up_stage = None

    # ── owner, company ────────────────────────────────────────────────────────────────────────────────────────────────

    def _owner(self) -> None:
        row, path, agent = self.state.row, self.change.path_to("owner"), self.change.owner
        if self.change.data["owner"] is None:
            if row.owner_id is not None and not self.state.is_new:
                raise TransitionError(CustomerStage.FOLLOW_UP, CustomerStage.POOL, (), path)
            return
        if agent is None or row.owner_id == agent.id:
            return
        field_permissions.check_owner(self.unit, self.state, path)
        stages.assign(self.unit, self.state, agent.id, self.capacity, path)

    def _company(self) -> None:
        company = self.change.company
        if company is not None or self.change.data["company"] is None:
            self.state.company = company
            self.state.row.company_id = company and company.id

    # ── phones, e-mails, external ids ─────────────────────────────────────────────────────────────────────────────────

    def _phones(self) -> None:
        if self.change.phones is not None:
            self.state.phones = list(self.change.phones)

    def _phone(self) -> None:
        self.state.phones = _with_first(self.state.phones, self.change.phone, self.change.data["phone"] is None, str)

    def _emails(self) -> None:
        if self.change.emails is not None:
            self.state.emails = list(self.change.emails)

    def _email(self) -> None:
        self.state.emails = _with_first(self.state.emails, self.change.email, self.change.data["email"] is None, fold)

    def _external_ids(self) -> None:
        if self.change.external_ids is not None:
            self.state.external_ids = list(self.change.external_ids)

    # ── tags, friends, custom values ──────────────────────────────────────────────────────────────────────────────────

    def _reseller(self) -> None:
        if self.change.data["reseller_relationship"] is not None:
            self.state.row.reseller_relationship = self.change.data["reseller_relationship"]

    async def _tags(self, changes: tag_changes.TagChanges) -> None:
        row = self.state.row
        try:
            field_permissions.check_tags(self.unit, self.state, changes.path)
            if not row.reseller_relationship:
                message = f"“{row.name}” has no reseller relationship, so its tags cannot be changed."
                raise InputError(ErrorCode.RESELLER_RELATIONSHIP_REQUIRED, message, changes.path)
            self.state.tags = await tag_changes.apply_tag_changes(self.unit, self.state.tags, changes, self.references)
        except InputError as error:
            self.state.add_error(error)

    def _friends(self) -> None:
        friends = self.change.friends or {}
        friend_ids = dict.fromkeys(friends.get("set", self.state.friends))
        friend_ids |= dict.fromkeys(friends.get("add", ()))
        removed = set(friends.get("remove", ()))
        self.state.friends = [friend_id for friend_id in friend_ids if friend_id not in removed]

    def _values(self) -> None:
        for field_id, (value, _) in self.change.values.items():
            if value is None:
                self.state.values.pop(field_id, None)
            else:
                self.state.values[field_id] = value

    async def _required(self) -> None:
        """A new customer needs a value in every required field."""
        if not self.state.is_new:
            return
        for field in await self.unit.custom_fields(EntityType.CUSTOMER):
            is_given = field.id in self.change.values
            if field.required and field.active and field.id not in self.state.values and not is_given:
                message = f"“{field.label}” is required; enter a value (key “{field.key}”)."
                self.state.add_error(InputError(ErrorCode.BLANK, message, self.change.path_to("customFields")))


_ERROR_ORDER: Mapping[ErrorCode, int] = {ErrorCode.FORBIDDEN: 0, ErrorCode.CUSTOMER_BLOCKED: 1}

# In the order of the checks: the owner determines the stage, which determines the follow-up stage.
_RULES: Mapping[str, Callable[[_ChangeApplication], None]] = {
    "reseller_relationship": _ChangeApplication._reseller,
    "relationship_status": _ChangeApplication._relationship,
    "subscription_status": _ChangeApplication._subscription,
    "stage": _ChangeApplication._stage,
    "owner": _ChangeApplication._owner,
    "company": _ChangeApplication._company,
    "phones": _ChangeApplication._phones,
    "phone": _ChangeApplication._phone,
    "emails": _ChangeApplication._emails,
    "email": _ChangeApplication._email,
    "external_ids": _ChangeApplication._external_ids,
    "wechat_friends": _ChangeApplication._friends,
    "custom_fields": _ChangeApplication._values,
}


def _with_first(values: Sequence[str], primary: str | None, clear: bool, key: Callable[[str], str]) -> list[str]:
    """The list with a new first entry. The old first entry comes second, or is removed if there is no new one."""
    if clear:
        return list(values[1:])
    if primary is None:
        return list(values)
    return [primary, *(value for value in values if key(value) != key(primary))]
