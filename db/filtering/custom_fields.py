"""The values of custom fields: asked in the words of the field's type."""

from collections.abc import Mapping
from typing import Any

from db.filtering import operators as op
from db.filtering import parser as read
from db.filtering.errors import Path, QueryError, invalid
from db.filtering.filter_ast import TRUE, Shape, every, opposite
from db.filtering.parser import Reader
from db.tables.enums import CustomFieldType, EntityType
from db.tables.key_columns import LONGEST
from db.values.folding import normal

RELATION = {EntityType.CUSTOMER: "customerValue", EntityType.COMPANY: "companyValue"}

# What a predicate is called, for each type of field.
_WORDS: Mapping[CustomFieldType, str] = {
    CustomFieldType.NUMBER: "number",
    CustomFieldType.BOOLEAN: "boolean",
    CustomFieldType.DATE: "date",
    CustomFieldType.DATE_TIME: "dateTime",
    CustomFieldType.SELECT: "options",
    CustomFieldType.MULTI_SELECT: "options",
}
# The column of a value that sorts, for each type of field.
SORTED: Mapping[CustomFieldType, str] = {
    CustomFieldType.NUMBER: "number",
    CustomFieldType.BOOLEAN: "boolean",
    CustomFieldType.DATE: "date",
    CustomFieldType.DATE_TIME: "date_time",
}


def field(circumstances: Any, entity: EntityType, key: str, path: Path) -> Any:
    """The active field of that key. Raises QueryError, FIELD_UNKNOWN."""
    found = circumstances.fields.get(entity, {}).get(key)
    if found is None:
        raise QueryError(
            "FIELD_UNKNOWN",
            f"There is no custom field “{key[:100]}”: `{'.'.join(path)}` has to name an active one.",
            path,
        )
    return found


def value(reader: Reader, plain: Any, path: Path, entity: EntityType) -> Shape:
    """CustomFieldFilter: a key, and one predicate in the words of its type."""
    given = read.record(plain, path)
    if unknown := [name for name in given if name not in ("key", "is")]:
        raise read.unknown(unknown[0], path)
    key = read.text(given.get("key"), (*path, "key"))
    found = field(reader.circumstances, entity, key, (*path, "key"))
    predicate = read.record(given.get("is"), (*path, "is"))
    if len(predicate) != 1:
        raise invalid(f"`{'.'.join(path)}.is` takes exactly one predicate.", (*path, "is"))
    (word, operators), *_ = predicate.items()
    kind = CustomFieldType(found.type)
    wanted = _WORDS.get(kind, "text")
    here = (*path, "is", word)
    if word != wanted:
        raise invalid(
            f"“{key}” is a {kind.name} field: ask with `{wanted}`, not with `{word}`, at `{'.'.join(here)}`.", here
        )
    return _typed(reader, operators, here, word, entity, reader.value(found.id))


def _typed(reader: Reader, plain: Any, path: Path, word: str, entity: EntityType, field_id: int) -> Shape:
    def held(shape: Shape) -> Shape:
        return ("some", RELATION[entity], every([("compare", "field_id", "=", field_id), shape]))

    if word == "text":
        return op.textual(reader, plain, path, "text", "text_key", wrap=held, present=TRUE, length=LONGEST)
    if word == "number":
        return op.ordered(reader, plain, path, "number", op.real, wrap=held)
    if word == "boolean":
        return op.truth(reader, plain, path, "boolean", wrap=held)
    if word == "date":
        return op.dated(reader, plain, path, "date", wrap=held)
    if word == "dateTime":
        return op.timed(reader, plain, path, "date_time", wrap=held)
    return _options(reader, plain, path, held)


def _options(reader: Reader, plain: Any, path: Path, held: op.Wrap) -> Shape:
    """OptionListFilter."""

    def texts(given: Any, here: Path) -> list[str]:
        listed = enumerate(read.items(given, here))
        return list(dict.fromkeys(normal(read.text(one, (*here, str(place)))) for place, one in listed))

    def among(given: Any, here: Path) -> Shape:
        return op.listed_in(reader, "option", texts(given, here))

    found = []
    for name, given in read.record(plain, path).items():
        here = (*path, name)
        reader.predicate(here)
        if name == "isNull":
            some = held(opposite(("empty", "option")))
            found.append(opposite(some) if read.boolean(given, here) else some)
        elif name in ("any", "none"):
            some = held(among(given, here))
            found.append(some if name == "any" else opposite(some))
        elif name == "all":
            found += [held(("compare", "option", "=", reader.value(one))) for one in texts(given, here)]
        else:
            raise read.unknown(name, path)
    return every(found)
