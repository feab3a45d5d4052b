"""The catalogue of tags: creating, renaming, deleting and merging them (MS3, MS7, SB22)."""

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
    """The tag, and the number of customers that changed with it."""

    tag: Any
    customers: int | None = None


def log_snapshot(tag: Any) -> Mapping[str, Any]:
    return {
        "name": tag.name,
        "kind": TagKind(tag.kind).name,
        "color": tag.color,
        "description": tag.description,
    }


async def create(unit: UnitOfWork, data: TagData) -> TagResult:
    """Creates a tag. Raises InputError BLANK, TOO_LONG, TAKEN."""
    kind = TagKind.BUSINESS if data.get("kind") is None else TagKind(data["kind"])
    name = tag_changes.normalize_tag_name(data.get("name") or "", ("input", "name"))
    await _check_name_is_free(unit, kind, name, None)
    row = new_row(
        tables.Tag,
        workspace_id=unit.workspace_id,
        name=name,
        name_key=fold(name),
        unique_key=fold_case(name),
        kind=int(kind),
        color=text_values.read_text(data.get("color"), ("input", "color"), max_length=text_values.MAX_WORD_LENGTH),
        description=text_values.read_text(
            data.get("description"), ("input", "description"), max_length=text_values.MAX_LINE_LENGTH
        ),
    )
    return TagResult(await record_writes.create_record(unit, "Tag", row, log_snapshot))


async def update(unit: UnitOfWork, wire_id: str, data: TagData) -> TagResult:
    """Updates a tag; its customers keep it. Raises InputError NOT_FOUND, BLANK, TOO_LONG, TAKEN, FIELD_PROTECTED."""
    stored_tag = await _load_tag(unit, wire_id, ("id",))
    row = copy_row(stored_tag, tables.Tag)
    if data.get("kind") not in (None, row.kind):
        message = "The kind of a tag cannot change; create another tag and merge the two."
        raise InputError(ErrorCode.FIELD_PROTECTED, message, ("input", "kind"))
    if "name" in data:
        row.name = tag_changes.normalize_tag_name(data["name"] or "", ("input", "name"))
        row.name_key, row.unique_key = fold(row.name), fold_case(row.name)
        await _check_name_is_free(unit, TagKind(row.kind), row.name, row.id)
    for name, max_length in (("color", text_values.MAX_WORD_LENGTH), ("description", text_values.MAX_LINE_LENGTH)):
        if name in data:
            setattr(row, name, text_values.read_text(data[name], ("input", name), max_length=max_length))
    await record_writes.update_record(
        unit, "Tag", row, vars(copy_row(stored_tag, tables.Tag)), log_snapshot(stored_tag), log_snapshot
    )
    if row.name_key != stored_tag.name_key:
        await _rewrite_copies(unit, row)
    return TagResult(row)


async def delete(unit: UnitOfWork, wire_id: str) -> TagResult:
    """Removes the tag from every customer and deletes it. Raises InputError NOT_FOUND, LimitError if too many customers
    have it."""
    tag = await _load_tag(unit, wire_id, ("id",))
    count = await _rewrite_tags(unit, [tag.id], ("id",), lambda customer_tags: customer_tags.pop(tag.id, None))
    await record_writes.delete_record(unit, "Tag", tag)
    return TagResult(tag, count)


async def merge(unit: UnitOfWork, into: str, from_: Sequence[str]) -> TagResult:
    """Replaces the merged tags by the survivor on every customer. Raises InputError NOT_FOUND, INVALID,
    TAG_KIND_MISMATCH, and EMPTY_TARGET if no tag is given."""
    if not from_:
        raise InputError(ErrorCode.EMPTY_TARGET, "Choose the tags to merge into this one.", ("from",))
    survivor = await _load_tag(unit, into, ("into",))
    merged: dict[bytes, Any] = {}
    for index, wire_id in enumerate(from_):
        path = ("from", index)
        tag = await _load_tag(unit, wire_id, path)
        if tag.id == survivor.id:
            raise InputError(ErrorCode.INVALID, f"“{tag.name}” cannot be merged into itself.", path)
        if tag.kind != survivor.kind:
            kinds = TagKind(tag.kind).name, TagKind(survivor.kind).name
            message = (
                f"“{tag.name}” is a {kinds[0]} tag, but only {kinds[1]} tags can be merged into “{survivor.name}”."
            )
            raise InputError(ErrorCode.TAG_KIND_MISMATCH, message, path)
        merged[tag.id] = tag

    def replace(customer_tags: dict[bytes, Any]) -> None:
        for key in merged:
            customer_tags.pop(key, None)
        customer_tags[survivor.id] = survivor

    count = await _rewrite_tags(unit, list(merged), ("from",), replace)
    for tag in merged.values():
        await record_writes.delete_record(unit, "Tag", tag, action=ChangeAction.MERGED)
    return TagResult(survivor, count)


async def _load_tag(unit: UnitOfWork, wire_id: str, path: Path) -> Any:
    """Loads and locks the tag, so that nobody adds or removes it meanwhile."""
    identifier = wire_format.decode_id("Tag", wire_id)
    tags_by_id = await tags.lock_by_ids(unit.transaction, [identifier]) if identifier else {}
    if identifier is None or identifier not in tags_by_id:
        raise InputError(ErrorCode.NOT_FOUND, f"There is no tag “{wire_id}” in this workspace.", path)
    return tags_by_id[identifier]


async def _check_name_is_free(unit: UnitOfWork, kind: TagKind, name: str, own_id: bytes | None) -> None:
    holder = await tags.by_name(unit.transaction, int(kind), fold_case(name))
    if holder is not None and holder.id != own_id:
        message = f"There is already a {kind.name} tag “{holder.name}”; choose another name."
        raise InputError(ErrorCode.TAKEN, message, ("input", "name"))


async def _rewrite_tags(
    unit: UnitOfWork, tag_ids: Sequence[bytes], path: Path, change: Callable[[dict[bytes, Any]], object]
) -> int:
    """Changes the tags of all customers that have one of the tags, in chunks. Returns their number. Raises
    LimitError."""
    customer_ids = await tags.tagged_customer_ids(unit.transaction, tag_ids)
    for chunk in persistence.rewrite_chunks(
        customer_ids, path, "Remove the tag with customersUpdate first; it runs as a background job."
    ):
        loaded = await _load_customers(unit, chunk)
        for state in loaded:
            change(state.tags)
        await persistence.write_customers(unit, loaded)
    return len(customer_ids)


async def _rewrite_copies(unit: UnitOfWork, tag: Row) -> None:
    """Rewrites the sort columns and search documents with the tag's name. This is not a change of the customers. Raises
    LimitError."""
    customer_ids, path = await tags.tagged_customer_ids(unit.transaction, [tag.id]), ("input", "name")
    for chunk in persistence.rewrite_chunks(
        customer_ids, path, "Create a new tag and add it to them with customersUpdate instead."
    ):
        await persistence.refresh_copied_columns(unit, await _load_customers(unit, chunk))


async def _load_customers(unit: UnitOfWork, ids: Sequence[bytes]) -> list[LoadedCustomer]:
    """Loads the customers independent of the viewer's visibility."""
    rows = await customers.lock_by_ids(unit.transaction, ids, Visibility(sees_all=True))
    loaded = list((await loaded_customer.from_rows(unit, rows, SEARCHED_PARTS)).values())
    for state in loaded:
        change_fields.store_original_values(state)
    return loaded
