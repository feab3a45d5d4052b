"""Rows into the database: a transaction a chunk, the lines of the log numbered last in it."""

from collections.abc import Iterator, Sequence
from typing import Any

import orjson
from sqlalchemy import text, update

from crm.seeding.rows import CHANGE, COLUMNS, JSON_LAST, Records, Rows
from db import tables
from db.engine import Database, Work
from db.reading import here, prepared

_NUMBERS = prepared(
    update(tables.Counter)
    .where(here(tables.Counter))
    .values(change=tables.Counter.change + text(":many"))
    .returning(tables.Counter.change)
)
