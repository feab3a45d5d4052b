"""Creating and updating many customers, each with values of its own."""

from collections.abc import Collection, Hashable, Iterator, Mapping, Sequence
from typing import Any, Final

from crm import references
from crm.bulk import lookup
from crm.change_log import ChangeEntry
from crm.customers import records
from crm.customers.loaded_customer import LoadedCustomer
from crm.customers.records import UpdateRequest
from crm.errors import ErrorCode, InputError
from crm.jobs.handlers import JobItem, JobTask, RowResult, job_handler
from crm.unit_of_work import UnitOfWork
from db.tables.enums import JobKind, Outcome, Permission
from db.values import wire_format
from db.values.folding import fold

MAX_UPSERT_ROWS: Final = 1_000
"""Maximum number of rows in one call."""


@job_handler(JobKind.UPSERT, Permission.CUSTOMER_CREATE)
async def upsert_customers(unit: UnitOfWork, task: JobTask, items: Sequence[JobItem]) -> list[RowResult]:
    """Upserts the rows in waves: rows about the same customer run one after the other, all others together."""
    rows = task.arguments["rows"]
    results: dict[int, RowResult] = {}
    waiting = [item.row for item in items]
    while waiting:
        wave, waiting = _split_independent(rows, waiting)
        before = {entry.node_id: entry for entry in unit.log.entries()}
        for result in await _run_wave(unit, rows, wave):
            results[result.row] = result
        _separate_changes(unit, before, [results[row] for row in wave])
    return [results[item.row] for item in items]


def _separate_changes(unit: UnitOfWork, before: Mapping[bytes, ChangeEntry], results: Sequence[RowResult]) -> None:
    """Separates the changes of rows about the same customer. The change log lists them under the first row; a later row
    stores its own changes."""
    entries = {entry.node_id: entry for entry in unit.log.entries()}
    for result in results:
        entry = entries.get(result.node_id or b"")
        if entry is None or entry.row == result.row or result.outcome is Outcome.FAILED:
            continue
        earlier_fields = (
            {field["field"]: field for field in before[entry.node_id].fields} if entry.node_id in before else {}
        )
        result.fields = [
            {
                **field,
                "before": earlier_fields[field["field"]]["after"]
                if field["field"] in earlier_fields
                else field["before"],
            }
            for field in entry.fields
            if field["field"] not in earlier_fields or earlier_fields[field["field"]]["after"] != field["after"]
        ]


def _split_independent(rows: Sequence[Any], waiting: Sequence[int]) -> tuple[list[int], list[int]]:
    """Splits the rows into those that are independent of earlier rows and those that have to wait for them."""
    earlier_keys: set[Hashable] = set()
    independent: list[int] = []
    later: list[int] = []
    addresses = {fold(reference["email"]) for row in waiting if "email" in (reference := rows[row].get("by") or {})}
    for row in waiting:
        keys = set(_customer_keys(rows[row], addresses))
        (later if keys & earlier_keys else independent).append(row)
        earlier_keys |= keys
    return independent, later


def _customer_keys(row: Any, addresses: Collection[str]) -> Iterator[Hashable]:
    """Keys of the customers that the row may refer to or create. `addresses` are the email addresses that rows use as
    references."""
    reference, data = row.get("by") or {}, row["input"]
    if reference.get("id"):
        yield ("id", reference["id"])
    for pair in [reference.get("external_id"), *(data.get("external_ids") or ())]:
        if pair:
            yield ("external", pair["system"], pair["value"])
    for email in [reference.get("email"), data.get("email"), *(data.get("emails") or ())]:
        if email and fold(email) in addresses:
            yield ("email", fold(email))


async def _run_wave(unit: UnitOfWork, rows: Sequence[Any], wave: Sequence[int]) -> list[RowResult]:
    references_by_row = {row: rows[row]["by"] for row in wave if rows[row].get("by")}
    await lookup.lock_email_addresses(
        unit, [reference["email"] for reference in references_by_row.values() if "email" in reference]
    )
    results_by_row = await lookup.find_customers(unit, references_by_row)
    results: dict[int, RowResult] = {}
    to_update: list[UpdateRequest] = []
    to_create: list[tuple[int, Any]] = []
    for row in wave:
        reference, match = references_by_row.get(row), results_by_row.get(row)
        data = rows[row]["input"]
        if isinstance(match, InputError):
            results[row] = RowResult(row, None, Outcome.FAILED, [match])
        elif reference is not None and match is not None:
            to_update.append(_update_request(row, match, records.data_with_reference(reference, data, is_new=False)))
        elif reference is not None and "id" in reference:
            results[row] = RowResult(
                row,
                wire_format.decode_id("Customer", reference["id"]),
                Outcome.FAILED,
                [_not_found_error(row, reference)],
            )
        else:
            to_create.append(
                (row, data if reference is None else records.data_with_reference(reference, data, is_new=True))
            )
    for result in [*await _update(unit, to_update), *await _create(unit, rows, to_create)]:
        results[result.row] = result
    return list(results.values())


def _update_request(row: int, identifier: bytes, data: Any) -> UpdateRequest:
    return UpdateRequest(identifier, data, ("rows", row, "input"), ("rows", row, "by"), row=row)


def _not_found_error(row: int, reference: Any) -> InputError:
    return references.customer_not_found(reference, ("rows", row, "by"))


async def _update(unit: UnitOfWork, requests: Sequence[UpdateRequest]) -> list[RowResult]:
    """Updates the customers. If two rows resolve to the same customer, the second waits for the first."""
    if not unit.viewer.has_permission(Permission.CUSTOMER_UPDATE):
        message = "You can create customers but not change them; changing needs the permission CUSTOMER_UPDATE."
        return [
            RowResult(
                _row_of(request),
                request.id,
                Outcome.FAILED,
                [InputError(ErrorCode.FORBIDDEN, message, ("rows", _row_of(request), "by"))],
            )
            for request in requests
        ]
    results = []
    while requests:
        first_by_customer: dict[bytes, UpdateRequest] = {}
        for request in requests:
            first_by_customer.setdefault(request.id, request)
        batch = list(first_by_customer.values())
        requests = [request for request in requests if first_by_customer[request.id] is not request]
        loaded, outcomes = await records.update_each(unit, batch) if batch else ([], [])
        for request, state, outcome in zip(batch, loaded, outcomes, strict=True):
            results.append(_row_result(_row_of(request), state, outcome, request.id))
    return results


def _row_of(request: UpdateRequest) -> int:
    assert request.row is not None
    return request.row


async def _create(unit: UnitOfWork, rows: Sequence[Any], to_create: Sequence[tuple[int, Any]]) -> list[RowResult]:
    if not to_create:
        return []
    inputs = [(data, ("rows", row, "input")) for row, data in to_create]
    states, outcomes = await records.create_each(unit, inputs, [row for row, _ in to_create])
    for state, (row, _) in zip(states, to_create, strict=True):
        records.move_errors_to_reference(state, ("rows", row, "by"), ("rows", row, "input"), rows[row]["input"])
    return [
        _row_result(row, state, outcome, None)
        for (row, _), state, outcome in zip(to_create, states, outcomes, strict=True)
    ]


def _row_result(row: int, state: LoadedCustomer | None, outcome: Outcome, requested_id: bytes | None) -> RowResult:
    if state is None:
        error = references.customer_not_found(
            {"id": wire_format.id_encoder("Customer")(requested_id or b"")}, ("rows", row, "by")
        )
        return RowResult(row, requested_id, Outcome.FAILED, [error])
    is_failed_creation = outcome is Outcome.FAILED and state.is_new
    return RowResult(row, None if is_failed_creation else state.id, outcome, list(state.errors))
