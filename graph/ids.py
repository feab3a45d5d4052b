"""Ids on the wire: a prefix that tells the type, and the sixteen bytes in hexadecimal."""

import re
from collections.abc import Callable

_WIRE = re.compile(r"([a-z]{3})_([0-9a-f]{32})", re.ASCII)

# What each prefix stands for, by the name of the type.
PREFIXES = {
    "Customer": "cus",
    "Company": "com",
    "Tag": "tag",
    "Segment": "seg",
    "Agent": "agt",
    "Department": "dep",
    "Workspace": "wsp",
    "Note": "not",
    "Interaction": "int",
    "Order": "ord",
    "CustomField": "fld",
    "SavedView": "viw",
    "AssignmentRule": "rul",
    "Job": "job",
    "Change": "chg",
    "DuplicateGroup": "dup",
    "ApiKey": "key",
    "Webhook": "whk",
    "Delivery": "dlv",
    "Upload": "upl",
}
_TYPES = {prefix: name for name, prefix in PREFIXES.items()}


def wire(kind: str) -> Callable[[bytes], str]:
    """How ids of that type are written."""
    prefix = PREFIXES[kind] + "_"
    return lambda identifier: prefix + identifier.hex()


def parse(kind: str, text: str) -> bytes | None:
    """The id of a record of that type; None when the text is none, so that it is found nowhere."""
    found = _WIRE.fullmatch(text)
    return bytes.fromhex(found[2]) if found and found[1] == PREFIXES[kind] else None


def split(text: str) -> tuple[str, bytes] | None:
    """The type's name and the id; None when the text is no id."""
    found = _WIRE.fullmatch(text)
    if found is None or found[1] not in _TYPES:
        return None
    return _TYPES[found[1]], bytes.fromhex(found[2])
