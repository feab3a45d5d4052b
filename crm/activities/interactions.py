"""Interactions with a customer: each is recorded once, and its effects are applied (SM1, SB16, VC5, EM6)."""

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

_encode_customer_id, _encode_agent_id = wire_format.id_encoder("Customer"), wire_format.id_encoder("Agent")
_TEXT_COLUMNS: Final = (
    ("channel", text_values.MAX_WORD_LENGTH),
    ("subject", text_values.MAX_LINE_LENGTH),
    ("body", text_values.MAX_TEXT_LENGTH),
    ("campaign", text_values.MAX_NAME_LENGTH),
)


@dataclass(frozen=True, slots=True)
class RecordedInteraction:
    """The interaction, and the customer after it."""

    interaction: Any
    customer: Any


def log_snapshot(row: Any) -> Mapping[str, Any]:
    has_external_id = row.external_value is not None
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
        "agent": row.agent_id and _encode_agent_id(row.agent_id),
        "customer": _encode_customer_id(row.customer_id),
        "externalId": {"system": row.external_system, "value": row.external_value} if has_external_id else None,
    }


async def record(unit: UnitOfWork, reference: CustomerReference, data: InteractionData) -> RecordedInteraction:
    """Records an interaction, also for an archived customer, where it takes effect after unarchiving. A known external
    id is not recorded again. Raises InputError NOT_FOUND, FORBIDDEN, BLANK, TOO_LONG."""
    state = await notes.load_customer_of(unit, reference, ("customer",))
    reader = InteractionReader()
    await reader.prepare(unit, [data])
    interaction, is_new = reader.interaction(unit, state, data, ("input",))
    if not is_new:
        return RecordedInteraction(interaction, state.row)
    await record_each(unit, [(state, interaction)])
    return RecordedInteraction(interaction, state.row)


async def record_each(
    unit: UnitOfWork, pairs: Sequence[tuple[LoadedCustomer, Row]], rows: Sequence[int] | None = None
) -> None:
    """Writes new interactions of locked customers and applies their effects, with a fixed number of statements. `rows`
    are their row numbers in a job."""
    settings = await unit.settings()
    customers_by_id = {state.id: state for state, _ in pairs}
    for state in customers_by_id.values():
        if state.original is None:
            change_fields.store_original_values(state)
    for state, interaction in pairs:
        interaction.pending = state.is_archived and _has_effect(interaction)
        if not state.is_archived:
            automation.apply_automation(state, interaction, settings)
    await unit.transaction.insert(*(interaction for _, interaction in pairs))
    for index, (_, interaction) in enumerate(pairs):
        entry = record_writes.created_entry("Interaction", interaction, log_snapshot)
        unit.log.add(replace(entry, row=None if rows is None else rows[index]))
    await persistence.write_customers(unit, list(customers_by_id.values()))
    latest: dict[bytes, int] = {}
    for state, interaction in pairs:
        latest[state.id] = max(latest.get(state.id, 0), interaction.occurred_at)
    newer = [(key, at) for key, at in latest.items() if at > (customers_by_id[key].row.last_interaction_at or 0)]
    await batch_writes.update_rows(
        unit.transaction, tables.Customer, ((key, {"last_interaction_at": at}) for key, at in newer)
    )
    for key, at in newer:
        customers_by_id[key].row.last_interaction_at = at


async def apply_pending(unit: UnitOfWork, customers: Sequence[LoadedCustomer]) -> None:
    """Applies the effects of interactions that were recorded while the customers were archived, in the order of their
    occurrence (EM6). The caller writes the customers."""
    settings = await unit.settings()
    pending = await activities.pending_interactions(unit.transaction, [state.id for state in customers])
    customers_by_id = {state.id: state for state in customers}
    for interaction in pending:
        automation.apply_automation(customers_by_id[interaction.customer_id], interaction, settings)
    await batch_writes.update_rows(
        unit.transaction, tables.Interaction, ((interaction.id, {"pending": False}) for interaction in pending)
    )


def _has_effect(interaction: Any) -> bool:
    return interaction.kind in automation.SUBSCRIPTION_EVENTS or automation.rule_for(interaction) is not None


class InteractionReader:
    """Converts input to interactions. It loads the agents and external ids of many inputs together."""

    def __init__(self) -> None:
        self._references = References()
        self._recorded: dict[tuple[str, str], Any] = {}

    async def prepare(self, unit: UnitOfWork, inputs: Sequence[InteractionData]) -> None:
        """Loads the agents and the external ids that the inputs refer to."""
        await references.load_agents(unit, self._references, [data["agent"] for data in inputs if data.get("agent")])
        pairs = {pair for data in inputs if (pair := _external_id_if_valid(data)) is not None}
        self._recorded = dict(await activities.by_external_ids(unit.transaction, list(pairs))) if pairs else {}

    def interaction(
        self, unit: UnitOfWork, state: LoadedCustomer, data: InteractionData, path: Path
    ) -> tuple[Any, bool]:
        """The row for the input, and whether it is new. Raises InputError."""
        kind = InteractionKind(data["kind"])
        if kind is InteractionKind.OPT_IN and not unit.viewer.has_permission(Permission.CONSENT_RECORD):
            message = "Recording a consent to receive messages (OPT_IN) needs the permission CONSENT_RECORD."
            raise InputError(ErrorCode.FORBIDDEN, message, (*path, "kind"))
        external = _read_external_id(data, path)
        if external is not None and external in self._recorded:
            earlier = self._recorded[external]
            if earlier.customer_id == state.id:
                return earlier, False
            message = f"“{external[0]}: {external[1]}” is already recorded for another customer."
            raise InputError(ErrorCode.TAKEN, message, (*path, "externalId", "value"))
        row = self._row(unit, state, data, path, external)
        if external is not None:
            self._recorded[external] = row
        return row, True

    def _row(
        self,
        unit: UnitOfWork,
        state: LoadedCustomer,
        data: InteractionData,
        path: Path,
        external: tuple[str, str] | None,
    ) -> Row:
        occurred_at, agent = data.get("occurred_at"), data.get("agent")
        return new_row(
            tables.Interaction,
            workspace_id=unit.workspace_id,
            customer_id=state.id,
            kind=int(data["kind"]),
            direction=_enum_code(data.get("direction")),
            outcome=_enum_code(data.get("outcome")),
            amount=data.get("amount"),
            occurred_at=unit.now if occurred_at is None else occurred_at,
            agent_id=self._references.agent(agent, (*path, "agent")).id if agent else None,
            external_system=external and external[0],
            external_value=external and external[1],
            pending=False,
            **{
                name: text_values.read_text(data.get(name), (*path, name), max_length=max_length)
                for name, max_length in _TEXT_COLUMNS
            },
        )


def _read_external_id(data: InteractionData, path: Path) -> tuple[str, str] | None:
    reference = data.get("external_id")
    if reference is None:
        return None
    return references.read_external_id(reference, (*path, "externalId"))


def _external_id_if_valid(data: InteractionData) -> tuple[str, str] | None:
    """The external id if it is valid; `interaction` reports the errors later."""
    try:
        return _read_external_id(data, ())
    except InputError:
        return None


def _enum_code(value: Any) -> int | None:
    return None if value is None else int(value)
