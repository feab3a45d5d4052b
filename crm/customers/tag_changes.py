"""Putting tags on customers and taking them off: kinds, tags made on the spot, at most 150 (MS2, MS3, VC2, SB22)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from crm.errors import ErrorCode, InputError, LimitError, Path
from crm.references import References
from crm.unit_of_work import UnitOfWork
from crm.values import text_values
from db import tables
from db.rows import Row, new_row
from db.tables.enums import Permission, TagKind
from db.values import wire_format
from db.values.folding import fold, fold_case

MAX_TAGS_PER_CUSTOMER: Final = 150
"""Tags of one customer, of both kinds together (MS2)."""

MAX_TAG_NAME_LENGTH: Final = 50
"""Code points of a tag's name, composed and trimmed (MS3)."""


@dataclass(frozen=True, slots=True)
class TagChanges:
    """What was given: {"add", "remove", "set": references, "kind"}, any of them absent."""

    data: Mapping[str, Any]
    path: Path

    @property
    def kind(self) -> TagKind:
        kind = self.data.get("kind")
        return TagKind.BUSINESS if kind is None else TagKind(kind)

    def each(self, way: str) -> Sequence[tuple[Mapping[str, Any], Path]] | None:
        """The references of `add`, `remove` or `set` with their paths; None where it is absent."""
        given = self.data.get(way)
        return None if given is None else [(one, (*self.path, way, place)) for place, one in enumerate(given)]


def normalize_tag_name(text: str, path: Path) -> str:
    """A tag's name as it is kept. Raises InputError BLANK, TOO_LONG."""
    return text_values.read_required_text(text, path, "a name", longest=MAX_TAG_NAME_LENGTH)


async def apply_tag_changes(
    unit: UnitOfWork, worn: Mapping[bytes, Any], wanted: TagChanges, references: References
) -> dict[bytes, Any]:
    """The tags that somebody who wears `worn` wears afterwards. Nothing is written. Raises InputError, LimitError."""
    settings = await unit.settings()
    may_make = settings.allow_inline_tags
    now = dict(worn)
    replaced = wanted.each("set")
    if replaced is not None:
        now = {key: tag for key, tag in now.items() if tag.kind != wanted.kind}
        for named, path in replaced:
            tag = _one(unit, named, path, references, wanted.kind, make=may_make)
            if tag.kind != wanted.kind:
                message = f"“{tag.name}” is a {TagKind(tag.kind).name} tag; this replaces {wanted.kind.name} tags only."
                raise InputError(ErrorCode.TAG_KIND_MISMATCH, message, path)
            now[tag.id] = tag
    for named, path in wanted.each("add") or ():
        tag = _one(unit, named, path, references, wanted.kind, make=may_make)
        now[tag.id] = tag
    for named, path in wanted.each("remove") or ():
        now.pop(_one(unit, named, path, references, wanted.kind, make=False).id, None)
    if len(now) > max(MAX_TAGS_PER_CUSTOMER, len(worn)):
        message = (
            f"A customer wears at most {MAX_TAGS_PER_CUSTOMER} tags; these would be {len(now)}. Take some off first."
        )
        raise LimitError(message, wanted.path, limit=MAX_TAGS_PER_CUSTOMER, current=len(now))
    return now


def _one(
    unit: UnitOfWork, named: Mapping[str, Any], path: Path, references: References, kind: TagKind, *, make: bool
) -> Any:
    if named.get("id") is not None:
        found = references.tags.get(wire_format.decode_id("Tag", named["id"]) or b"")
        if found is None:
            raise InputError(ErrorCode.NOT_FOUND, f"There is no tag “{named['id']}” here.", path)
        return found
    text = normalize_tag_name(named["name"], path)
    found = references.tags_by_name.get((kind, fold_case(text)))
    if found is not None:
        return found
    if not make or kind is not TagKind.BUSINESS:
        raise InputError(ErrorCode.NOT_FOUND, f"There is no tag “{text}” here; choose one of the catalogue.", path)
    if not unit.viewer.has_permission(Permission.TAG_MANAGE):
        message = f"There is no tag “{text}” yet, and you may not make tags (TAG_MANAGE)."
        raise InputError(ErrorCode.FORBIDDEN, message, path)
    return _made(unit, text, references)


def _made(unit: UnitOfWork, text: str, references: References) -> Row:
    """A new tag, waiting for a customer who keeps it."""
    keys = {"name_key": fold(text), "unique_key": fold_case(text)}
    tag = new_row(tables.Tag, workspace_id=unit.workspace_id, name=text, kind=int(TagKind.BUSINESS), **keys)
    unit.cache.setdefault("new_tags", {})[tag.id] = tag
    references.tags[tag.id] = tag
    references.tags_by_name[TagKind.BUSINESS, tag.unique_key] = tag
    return tag
