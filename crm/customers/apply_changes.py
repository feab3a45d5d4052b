"""What becomes of a customer when a change is asked for: every rule of one record, in the order they are judged."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from crm.assignment import stages
from crm.assignment.stages import AgentCapacity
from crm.cooperative import yield_periodically
from crm.customers import field_permissions, subscription_status, tag_changes, uniqueness
from crm.customers.inputs import CustomerChange
from crm.customers.loaded_customer import LoadedCustomer, load_custom_fields
from crm.errors import ErrorCode, InputError, TransitionError
from crm.references import References
from crm.unit_of_work import UnitOfWork
from db.tables.enums import CustomerStage, RelationshipStatus, SubscriptionStatus
from db.values.folding import fold

CustomerChanges = Sequence[tuple[LoadedCustomer, CustomerChange]]


async def apply_changes(unit: UnitOfWork, pairs: CustomerChanges, references: References) -> None:
    """Changes each customer in memory as its change asks; what is wrong with one is kept with it, and it is not
    written. The customers are locked, judged to be there, and hold the parts that their changes need."""
    owners = {change.owner.id for _, change in pairs if change.owner is not None}
    owners |= {state.row.owner_id for state, _ in pairs if state.is_new and state.row.owner_id is not None}
    crew = await stages.lock_agents(unit, owners)
    async for state, change in yield_periodically(pairs):
        if not state.errors:
            await _Applying(unit, state, change, references, crew).apply()
    await uniqueness.check_uniqueness(unit, pairs)


class _Applying:
    """One customer and one change. What is wrong is gathered, so that a person sees all of it at once."""

    def __init__(
        self,
        unit: UnitOfWork,
        state: LoadedCustomer,
        change: CustomerChange,
        references: References,
        crew: AgentCapacity,
    ) -> None:
        self.unit = unit
        self.state = state
        self.change = change
        self.references = references
        self.crew = crew

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
        # In the order in which errors are judged.
        state.errors.sort(key=lambda refused: _FIRST.get(refused.code, len(_FIRST)))

    def _try(self, rule: Callable[..., Any], *arguments: Any) -> Any:
        try:
            return rule(*arguments)
        except InputError as refused:
            self.state.add_error(refused)
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
            # Whoever sees only his own customers keeps the one that he makes.
            return
        if not self.state.is_new:
            message = "The stage is moved by assigning, releasing, claiming and verifying, not by an update."
            raise InputError(ErrorCode.FIELD_PROTECTED, message, path)
        owned = self.change.data.get("owner") is not None
        if to == CustomerStage.POOL or (to == CustomerStage.FOLLOW_UP and not owned):
            message = f"A new customer cannot start in {CustomerStage(to).name}; an owner makes it FOLLOW_UP."
            raise InputError(ErrorCode.INVALID, message, path)
        self.state.row.stage = int(to)

    async def _follow_up_stage(self) -> None:
        row = self.state.row
        if self.change.has("follow_up_stage"):
            wanted, path = self.change.data["follow_up_stage"], self.change.path_to("followUpStage")
            stages = (await self.unit.settings()).follow_up_stages
            if wanted is not None and row.stage != CustomerStage.FOLLOW_UP:
                message = "Only a customer in FOLLOW_UP has a follow-up stage; assign the customer first."
                self.state.add_error(InputError(ErrorCode.INVALID, message, path))
            elif wanted is not None and wanted not in stages:
                message = f"“{wanted}” is none of the follow-up stages; choose one of {', '.join(stages)}."
                self.state.add_error(InputError(ErrorCode.INVALID, message, path))
            row.follow_up_stage = wanted
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
        stages.assign(self.unit, self.state, agent.id, self.crew, path)

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
        self.state.phones = _first(self.state.phones, self.change.phone, self.change.data["phone"] is None, str)

    def _emails(self) -> None:
        if self.change.emails is not None:
            self.state.emails = list(self.change.emails)

    def _email(self) -> None:
        self.state.emails = _first(self.state.emails, self.change.email, self.change.data["email"] is None, fold)

    def _external_ids(self) -> None:
        if self.change.external_ids is not None:
            self.state.external_ids = list(self.change.external_ids)

    # ── tags, friends, custom values ──────────────────────────────────────────────────────────────────────────────────

    def _reseller(self) -> None:
        if self.change.data["reseller_relationship"] is not None:
            self.state.row.reseller_relationship = self.change.data["reseller_relationship"]

    async def _tags(self, wanted: tag_changes.TagChanges) -> None:
        row = self.state.row
        try:
            field_permissions.check_tags(self.unit, self.state, wanted.path)
            if not row.reseller_relationship:
                message = f"“{row.name}” has no reseller relationship, so the tags cannot be changed."
                raise InputError(ErrorCode.RESELLER_RELATIONSHIP_REQUIRED, message, wanted.path)
            self.state.tags = await tag_changes.apply_tag_changes(self.unit, self.state.tags, wanted, self.references)
        except InputError as refused:
            self.state.add_error(refused)

    def _friends(self) -> None:
        friends = self.change.friends or {}
        now = dict.fromkeys(friends.get("set", self.state.friends))
        now |= dict.fromkeys(friends.get("add", ()))
        gone = set(friends.get("remove", ()))
        self.state.friends = [one for one in now if one not in gone]

    def _values(self) -> None:
        for field_id, (value, _) in self.change.values.items():
            if value is None:
                self.state.values.pop(field_id, None)
            else:
                self.state.values[field_id] = value

    async def _required(self) -> None:
        """A new customer has a value in every required field."""
        if not self.state.is_new:
            return
        for one in await load_custom_fields(self.unit):
            asked = one.id in self.change.values
            if one.required and one.active and one.id not in self.state.values and not asked:
                message = f"“{one.label}” is required; give it under the key “{one.key}”."
                self.state.add_error(InputError(ErrorCode.BLANK, message, self.change.path_to("customFields")))


_FIRST: Mapping[ErrorCode, int] = {ErrorCode.FORBIDDEN: 0, ErrorCode.CUSTOMER_BLOCKED: 1}

# In the order in which they are judged: the owner decides the stage, which decides the follow-up stage.
_RULES: Mapping[str, Callable[[_Applying], None]] = {
    "reseller_relationship": _Applying._reseller,
    "relationship_status": _Applying._relationship,
    "subscription_status": _Applying._subscription,
    "stage": _Applying._stage,
    "owner": _Applying._owner,
    "company": _Applying._company,
    "phones": _Applying._phones,
    "phone": _Applying._phone,
    "emails": _Applying._emails,
    "email": _Applying._email,
    "external_ids": _Applying._external_ids,
    "wechat_friends": _Applying._friends,
    "custom_fields": _Applying._values,
}


def _first(held: Sequence[str], primary: str | None, clear: bool, key: Callable[[str], str]) -> list[str]:
    """The list with another first one; the old first one comes second, or goes where nothing takes its place."""
    if clear:
        return list(held[1:])
    if primary is None:
        return list(held)
    return [primary, *(one for one in held if key(one) != key(primary))]
