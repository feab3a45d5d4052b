"""The line in the log for each operation."""

import logging
import time
from typing import Any, Final

logger: Final = logging.getLogger("clientela.operations")

# What is the same in every line. The library would look up the place in the code, the thread and the process each time,
# which is a tenth of a small answer.
_ALIKE: Final[dict[str, Any]] = vars(
    logging.makeLogRecord({"name": logger.name, "levelno": logging.INFO, "levelname": "INFO", "args": None})
)


def write(*, request_id: str, kind: str, operation: str, outcome: str, seconds: float) -> None:
    if not logger.isEnabledFor(logging.INFO):
        return
    now, milliseconds = time.time(), seconds * 1000
    record: logging.LogRecord = object.__new__(logging.LogRecord)
    record.__dict__ = {
        **_ALIKE,
        "created": now,
        "msecs": int(now * 1000) % 1000,
        "msg": f"{kind} {operation}: {outcome} in {milliseconds:.1f} ms, request {request_id}",
        "request_id": request_id,
        "kind": kind,
        "operation": operation,
        "outcome": outcome,
        "milliseconds": round(milliseconds, 1),
    }
    logger.handle(record)
