"""Interactions: what happened with a customer, recorded once, and what follows from it (SM1, SB16, VC5, EM6)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from crm import record_writes, references
from crm.activities import automation, notes
from crm.customers import change_fields, persistence
from crm.customers.loaded_customer import LoadedCustomer
from crm.errors import ErrorCode, InputError, Path
from crm.references import CustomerReference, References
from crm.unit_of_work import UnitOfWork
from crm.values import text_values
from db import batch_writes, tables
from db.queries import activities
from db.rows import Row, new_row
from db.tables.enums import Direction, InteractionKind, InteractionOutcome, Permission
from db.values import wire_format

InteractionData = Mapping[str, Any]

_CUSTOMER, _AGENT = wire_format.id_encoder("Customer"), wire_format.id_encoder("Agent")
_TEXTS: Final = (
    ("channel", text_values.MAX_WORD_LENGTH),
    ("subject", text_values.MAX_LINE_LENGTH),
    ("body", text_values.MAX_TEXT_LENGTH),
    ("campaign", text_values.MAX_NAME_LENGTH),
)


@dataclass(frozen=True, slots=True)
class RecordedInteraction:
    """The interaction, and the customer as it is afterwards."""

    interaction: Any
    customer: Any


def log_snapshot(row: Any) -> Mapping[str, Any]:
    external = row.external_value is not None
    return {
        "kind": InteractionKind(row.kind).name,
        "direction": None if row.direction is None else Direction(row.direction).name,
        "channel": row.channel,
        "outcome": None if row.outcome is None else InteractionOutcome(row.outcome).name,
        "subject": row.subject,
        "body": row.body,
        "campaign": row.campaign,
        "amount": None if row.amount is None else wire_format.format_decimal(row.amount),
        "occurredAt": wire_format.format_moment(row.occurred_at),
        "agent": row.agent_id and _AGENT(row.agent_id),
        "customer": _CUSTOMER(row.customer_id),
        "externalId": {"system": row.external_system, "value": row.external_value} if external else None,
    }


async def record(unit: UnitOfWork, by: CustomerReference, given: InteractionData) -> RecordedInteraction:
    """Records it, also with an archived customer; there it has its effect on unarchive. One with an external id that
    is known is not recorded again. Raises InputError NOT_FOUND, FORBIDDEN, BLANK, TOO_LONG."""
    state = await notes.load_customer_of(unit, by, ("customer",))
    session = InteractionReader()
    await session.prepare(unit, [given])
    interaction, new = session.interaction(unit, state, given, ("input",))
    if not new:
        return RecordedInteraction(interaction, state.row)
    await record_each(unit, [(state, interaction)])
    return RecordedInteraction(interaction, state.row)


async def record_each(
    unit: UnitOfWork, pairs: Sequence[tuple[LoadedCustomer, Row]], rows: Sequence[int] | None = None
) -> None:
    """Writes new interactions with customers who are held, and what follows from them, whatever number there is.
    `rows` are their places in a job's target."""
    settings = await unit.settings()
    touched = {state.id: state for state, _ in pairs}
    for state in touched.values():
        if state.original is None:
            change_fields.store_original_values(state)
    for state, interaction in pairs:
        interaction.pending = state.is_archived and _has_effect(interaction)
        if not state.is_archived:
            automation.apply_automation(state, interaction, settings)
    await unit.transaction.insert(*(interaction for _, interaction in pairs))
    for place, (_, interaction) in enumerate(pairs):
        entry = record_writes.created_entry("Interaction", interaction, log_snapshot)
        unit.log.add(replace(entry, row=None if rows is None else rows[place]))
    await persistence.write_customers(unit, list(touched.values()))
    latest: dict[bytes, int] = {}
    for state, interaction in pairs:
        latest[state.id] = max(latest.get(state.id, 0), interaction.occurred_at)
    later = [(key, at) for key, at in latest.items() if at > (touched[key].row.last_interaction_at or 0)]
    await batch_writes.update_rows(
        unit.transaction, tables.Customer, ((key, {"last_interaction_at": at}) for key, at in later)
    )
    for key, at in later:
        touched[key].row.last_interaction_at = at


async def apply_pending(unit: UnitOfWork, back: Sequence[LoadedCustomer]) -> None:
    """What was recorded while they were archived has its effect now, in the order in which it happened (EM6). The
    customers are written by the caller."""
    settings = await unit.settings()
    pending = await activities.pending_interactions(unit.transaction, [state.id for state in back])
    by_id = {state.id: state for state in back}
    for interaction in pending:
        automation.apply_automation(by_id[interaction.customer_id], interaction, settings)
    await batch_writes.update_rows(
        unit.transaction, tables.Interaction, ((one.id, {"pending": False}) for one in pending)
    )


def _has_effect(interaction: Any) -> bool:
    return interaction.kind in automation.SUBSCRIPTION_EVENTS or automation.rule_for(interaction) is not None


class InteractionReader:
    """Interactions on their way in: what many of them name is looked up together."""

    def __init__(self) -> None:
        self._known = References()
        self._recorded: dict[tuple[str, str], Any] = {}

    async def prepare(self, unit: UnitOfWork, many: Sequence[InteractionData]) -> None:
        """Looks up the agents and the external ids that they name."""
        await references.load_agents(unit, self._known, [one["agent"] for one in many if one.get("agent")])
        pairs = {pair for one in many if (pair := _named(one)) is not None}
        self._recorded = dict(await activities.by_external_ids(unit.transaction, list(pairs))) if pairs else {}

    def interaction(
        self, unit: UnitOfWork, state: LoadedCustomer, given: InteractionData, path: Path
    ) -> tuple[Any, bool]:
        """The row for what was given, and whether it is new. Raises InputError."""
        kind = InteractionKind(given["kind"])
        if kind is InteractionKind.OPT_IN and not unit.viewer.has_permission(Permission.CONSENT_RECORD):
            message = "You may not record that somebody agreed to be written to (CONSENT_RECORD)."
            raise InputError(ErrorCode.FORBIDDEN, message, (*path, "kind"))
        external = _external_id(given, path)
        if external is not None and external in self._recorded:
            earlier = self._recorded[external]
            if earlier.customer_id == state.id:
                return earlier, False
            message = f"“{external[0]}: {external[1]}” was recorded with another customer."
            raise InputError(ErrorCode.TAKEN, message, (*path, "externalId", "value"))
        row = self._row(unit, state, given, path, external)
        if external is not None:
            self._recorded[external] = row
        return row, True

    def _row(
        self,
        unit: UnitOfWork,
        state: LoadedCustomer,
        given: InteractionData,
        path: Path,
        external: tuple[str, str] | None,
    ) -> Row:
        occurred_at, agent = given.get("occurred_at"), given.get("agent")
        return new_row(
            tables.Interaction,
            workspace_id=unit.workspace_id,
            customer_id=state.id,
            kind=int(given["kind"]),
            direction=_code(given.get("direction")),
            outcome=_code(given.get("outcome")),
            amount=given.get("amount"),
            occurred_at=unit.now if occurred_at is None else occurred_at,
            agent_id=self._known.agent(agent, (*path, "agent")).id if agent else None,
            external_system=external and external[0],
            external_value=external and external[1],
            pending=False,
            **{
                name: text_values.read_text(given.get(name), (*path, name), longest=longest) for name, longest in _TEXTS
            },
        )


def _external_id(given: InteractionData, path: Path) -> tuple[str, str] | None:
    named = given.get("external_id")
    if named is None:
        return None
    return references.read_external_id(named, (*path, "externalId"))


def _named(given: InteractionData) -> tuple[str, str] | None:
    """The external id where it is one; what is wrong with it is told later."""
    try:
        return _external_id(given, ())
    except InputError:
        return None


def _code(value: Any) -> int | None:
    return None if value is None else int(value)
