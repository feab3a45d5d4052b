"""Adding and removing a customer's tags: kinds, inline creation, at most 150 tags (MS2, MS3, VC2, SB22)."""

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
"""Maximum number of tags of one customer, of both kinds together (MS2)."""

MAX_TAG_NAME_LENGTH: Final = 50
"""Maximum length of a tag's name in code points, composed and trimmed (MS3)."""


@dataclass(frozen=True, slots=True)
class TagChanges:
    """The requested changes: {"add", "remove", "set": references, "kind"}, all optional."""

    data: Mapping[str, Any]
    path: Path

    @property
    def kind(self) -> TagKind:
        kind = self.data.get("kind")
        return TagKind.BUSINESS if kind is None else TagKind(kind)

    def each(self, key: str) -> Sequence[tuple[Mapping[str, Any], Path]] | None:
        """The references in `add`, `remove` or `set` with their paths; None if the key is absent."""
        references = self.data.get(key)
        return (
            None
            if references is None
            else [(reference, (*self.path, key, index)) for index, reference in enumerate(references)]
        )


def normalize_tag_name(text: str, path: Path) -> str:
    """The tag name to store. Raises InputError BLANK, TOO_LONG."""
    return text_values.read_required_text(text, path, "a name", max_length=MAX_TAG_NAME_LENGTH)


async def apply_tag_changes(
    unit: UnitOfWork, current_tags: Mapping[bytes, Any], changes: TagChanges, references: References
) -> dict[bytes, Any]:
    """The resulting tags of a customer. Writes nothing. Raises InputError, LimitError."""
    settings = await unit.settings()
    may_create = settings.allow_inline_tags
    tags = dict(current_tags)
    replacements = changes.each("set")
    if replacements is not None:
        tags = {key: tag for key, tag in tags.items() if tag.kind != changes.kind}
        for reference, path in replacements:
            tag = _resolve_tag(unit, reference, path, references, changes.kind, may_create=may_create)
            if tag.kind != changes.kind:
                message = (
                    f"“{tag.name}” is a {TagKind(tag.kind).name} tag, but this list replaces "
                    f"{changes.kind.name} tags only."
                )
                raise InputError(ErrorCode.TAG_KIND_MISMATCH, message, path)
            tags[tag.id] = tag
    for reference, path in changes.each("add") or ():
        tag = _resolve_tag(unit, reference, path, references, changes.kind, may_create=may_create)
        tags[tag.id] = tag
    for reference, path in changes.each("remove") or ():
        tags.pop(_resolve_tag(unit, reference, path, references, changes.kind, may_create=False).id, None)
    if len(tags) > max(MAX_TAGS_PER_CUSTOMER, len(current_tags)):
        message = (
            f"A customer can have at most {MAX_TAGS_PER_CUSTOMER} tags, but this would make {len(tags)}; remove "
            "some first."
        )
        raise LimitError(message, changes.path, limit=MAX_TAGS_PER_CUSTOMER, current=len(tags))
    return tags


def _resolve_tag(
    unit: UnitOfWork,
    reference: Mapping[str, Any],
    path: Path,
    references: References,
    kind: TagKind,
    *,
    may_create: bool,
) -> Any:
    if reference.get("id") is not None:
        tag = references.tags.get(wire_format.decode_id("Tag", reference["id"]) or b"")
        if tag is None:
            raise InputError(ErrorCode.NOT_FOUND, f"There is no tag “{reference['id']}” in this workspace.", path)
        return tag
    text = normalize_tag_name(reference["name"], path)
    tag = references.tags_by_name.get((kind, fold_case(text)))
    if tag is not None:
        return tag
    if not may_create or kind is not TagKind.BUSINESS:
        raise InputError(
            ErrorCode.NOT_FOUND, f"There is no tag “{text}” in this workspace; choose one from the catalogue.", path
        )
    if not unit.viewer.has_permission(Permission.TAG_MANAGE):
        message = f"There is no tag “{text}” yet; creating tags needs the permission TAG_MANAGE."
        raise InputError(ErrorCode.FORBIDDEN, message, path)
    return _create_tag(unit, text, references)


def _create_tag(unit: UnitOfWork, text: str, references: References) -> Row:
    """Creates a new tag, which is stored only if a customer gets it."""
    keys = {"name_key": fold(text), "unique_key": fold_case(text)}
    tag = new_row(tables.Tag, workspace_id=unit.workspace_id, name=text, kind=int(TagKind.BUSINESS), **keys)
    unit.cache.setdefault("new_tags", {})[tag.id] = tag
    references.tags[tag.id] = tag
    references.tags_by_name[TagKind.BUSINESS, tag.unique_key] = tag
    return tag
