"""The catalogue of tags: making, renaming, deleting and merging them (MS3, MS7, SB22)."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from crm import record_writes
from crm.customers import change_fields, loaded_customer, persistence, tag_changes
from crm.customers.loaded_customer import SEARCHED_PARTS, LoadedCustomer
from crm.errors import ErrorCode, InputError, Path
from crm.unit_of_work import UnitOfWork
from crm.values import text_values
from db import tables
from db.queries.catalogue import tags
from db.queries.customers import customers
from db.rows import Row, copy_row, new_row
from db.tables.enums import ChangeAction, TagKind
from db.values import wire_format
from db.values.folding import fold, fold_case
from db.visibility import Visibility

TagData = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class TagResult:
    """The tag as it is, or was, and how many customers were changed with it."""

    tag: Any
    customers: int | None = None


def log_snapshot(tag: Any) -> Mapping[str, Any]:
    return {
        "name": tag.name,
        "kind": TagKind(tag.kind).name,
        "color": tag.color,
        "description": tag.description,
    }


async def create(unit: UnitOfWork, given: TagData) -> TagResult:
    """Raises InputError BLANK, TOO_LONG, TAKEN."""
    kind = TagKind.BUSINESS if given.get("kind") is None else TagKind(given["kind"])
    name = tag_changes.normalize_tag_name(given.get("name") or "", ("input", "name"))
    await _free(unit, kind, name, None)
    row = new_row(
        tables.Tag,
        workspace_id=unit.workspace_id,
        name=name,
        name_key=fold(name),
        unique_key=fold_case(name),
        kind=int(kind),
        color=text_values.read_text(given.get("color"), ("input", "color"), longest=text_values.MAX_WORD_LENGTH),
        description=text_values.read_text(
            given.get("description"), ("input", "description"), longest=text_values.MAX_LINE_LENGTH
        ),
    )
    return TagResult(await record_writes.create_record(unit, "Tag", row, log_snapshot))


async def update(unit: UnitOfWork, wire_id: str, given: TagData) -> TagResult:
    """Its customers keep it. Raises InputError NOT_FOUND, BLANK, TOO_LONG, TAKEN, FIELD_PROTECTED."""
    found = await _one(unit, wire_id, ("id",))
    row = copy_row(found, tables.Tag)
    if given.get("kind") not in (None, row.kind):
        message = "A tag keeps its kind; make another tag, and merge the two."
        raise InputError(ErrorCode.FIELD_PROTECTED, message, ("input", "kind"))
    if "name" in given:
        row.name = tag_changes.normalize_tag_name(given["name"] or "", ("input", "name"))
        row.name_key, row.unique_key = fold(row.name), fold_case(row.name)
        await _free(unit, TagKind(row.kind), row.name, row.id)
    for name, longest in (("color", text_values.MAX_WORD_LENGTH), ("description", text_values.MAX_LINE_LENGTH)):
        if name in given:
            setattr(row, name, text_values.read_text(given[name], ("input", name), longest=longest))
    await record_writes.update_record(
        unit, "Tag", row, vars(copy_row(found, tables.Tag)), log_snapshot(found), log_snapshot
    )
    if row.name_key != found.name_key:
        await _renamed(unit, row)
    return TagResult(row)


async def delete(unit: UnitOfWork, wire_id: str) -> TagResult:
    """Takes it off every customer first. Raises InputError NOT_FOUND, LimitError where too many wear it."""
    tag = await _one(unit, wire_id, ("id",))
    count = await _rewritten(unit, [tag.id], ("id",), lambda worn: worn.pop(tag.id, None))
    await record_writes.delete_record(unit, "Tag", tag)
    return TagResult(tag, count)


async def merge(unit: UnitOfWork, into: str, from_: Sequence[str]) -> TagResult:
    """Whoever wears one of them wears the survivor. Raises InputError NOT_FOUND, INVALID, TAG_KIND_MISMATCH, and
    EMPTY_TARGET for no tags."""
    if not from_:
        raise InputError(ErrorCode.EMPTY_TARGET, "Name the tags to merge into this one.", ("from",))
    survivor = await _one(unit, into, ("into",))
    merged: dict[bytes, Any] = {}
    for place, wire_id in enumerate(from_):
        path = ("from", place)
        tag = await _one(unit, wire_id, path)
        if tag.id == survivor.id:
            raise InputError(ErrorCode.INVALID, f"“{tag.name}” cannot be merged into itself.", path)
        if tag.kind != survivor.kind:
            kinds = TagKind(tag.kind).name, TagKind(survivor.kind).name
            message = f"“{tag.name}” is a {kinds[0]} tag; only {kinds[1]} tags can be merged into “{survivor.name}”."
            raise InputError(ErrorCode.TAG_KIND_MISMATCH, message, path)
        merged[tag.id] = tag

    def replace(worn: dict[bytes, Any]) -> None:
        for key in merged:
            worn.pop(key, None)
        worn[survivor.id] = survivor

    count = await _rewritten(unit, list(merged), ("from",), replace)
    for tag in merged.values():
        await record_writes.delete_record(unit, "Tag", tag, action=ChangeAction.MERGED)
    return TagResult(survivor, count)


async def _one(unit: UnitOfWork, wire_id: str, path: Path) -> Any:
    """Held: nobody puts it on or takes it off meanwhile."""
    identifier = wire_format.decode_id("Tag", wire_id)
    found = await tags.lock_by_ids(unit.transaction, [identifier]) if identifier else {}
    if identifier is None or identifier not in found:
        raise InputError(ErrorCode.NOT_FOUND, f"There is no tag “{wire_id}” here.", path)
    return found[identifier]


async def _free(unit: UnitOfWork, kind: TagKind, name: str, mine: bytes | None) -> None:
    holder = await tags.by_name(unit.transaction, int(kind), fold_case(name))
    if holder is not None and holder.id != mine:
        message = f"There is a {kind.name} tag “{holder.name}” already; choose another name."
        raise InputError(ErrorCode.TAKEN, message, ("input", "name"))


async def _rewritten(
    unit: UnitOfWork, tag_ids: Sequence[bytes], path: Path, change: Callable[[dict[bytes, Any]], object]
) -> int:
    """Changes what everybody wears who wears one of the tags, a chunk at a time. Raises LimitError."""
    wearers = await tags.tagged_customer_ids(unit.transaction, tag_ids)
    for chunk in persistence.rewrite_chunks(
        wearers, path, "Take the tag off with customersUpdate first, which is done by a job."
    ):
        found = await _loaded(unit, chunk)
        for state in found:
            change(state.tags)
        await persistence.write_customers(unit, found)
    return len(wearers)


async def _renamed(unit: UnitOfWork, tag: Row) -> None:
    """What is sorted and searched by is changed with it; that is no change of the customers. Raises LimitError."""
    wearers, path = await tags.tagged_customer_ids(unit.transaction, [tag.id]), ("input", "name")
    for chunk in persistence.rewrite_chunks(
        wearers, path, "Make a new tag and put it on them with customersUpdate instead."
    ):
        await persistence.refresh_copied_columns(unit, await _loaded(unit, chunk))


async def _loaded(unit: UnitOfWork, ids: Sequence[bytes]) -> list[LoadedCustomer]:
    """Whoever may see them."""
    rows = await customers.lock_by_ids(unit.transaction, ids, Visibility(sees_all=True))
    found = list((await loaded_customer.from_rows(unit, rows, SEARCHED_PARTS)).values())
    for state in found:
        change_fields.store_original_values(state)
    return found
