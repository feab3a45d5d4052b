"""Log output on standard error: text for people, or one JSON object per line for machines."""

import logging
import time
from datetime import UTC, datetime
from typing import Any, Final, Literal, TextIO

import orjson

_STANDARD: Final = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName", "color_message"}


class TextFormatter(logging.Formatter):
    """Formats a line of text. The formatted second is cached, because many lines share it."""

    _second = 0
    _formatted_second = ""

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)-7s %(name)s: %(message)s")

    def format(self, record: logging.LogRecord) -> str:
        if record.exc_info or record.exc_text or record.stack_info:
            return super().format(record)
        second = int(record.created)
        if second != self._second:
            self._formatted_second = time.strftime(self.default_time_format, self.converter(second))
            self._second = second
        milliseconds = f"{int(record.msecs):03}"
        return f"{self._formatted_second},{milliseconds} {record.levelname:<7} {record.name}: {record.getMessage()}"


class LineHandler(logging.StreamHandler[TextIO]):
    """Writes a record and its line end in one call; standard error flushes at each line end."""

    def emit(self, record: logging.LogRecord) -> None:
        try:
            self.stream.write(self.format(record) + "\n")
        except Exception:
            self.handleError(record)


class JsonFormatter(logging.Formatter):
    """Formats a JSON object with time, level, logger, message and one key for each item of `extra=`."""

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        line |= {key: value for key, value in vars(record).items() if key not in _STANDARD}
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return orjson.dumps(line, default=str, option=orjson.OPT_NON_STR_KEYS).decode()


def logging_configuration(log_format: Literal["text", "json"]) -> dict[str, Any]:
    """Configuration for logging.config.dictConfig, for the main process and each worker process."""
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {
            "text": {"()": "cli.logs.TextFormatter"},
            "json": {"()": "cli.logs.JsonFormatter"},
        },
        "handlers": {
            "stderr": {"class": "cli.logs.LineHandler", "stream": "ext://sys.stderr", "formatter": log_format}
        },
        "root": {"level": "INFO", "handlers": ["stderr"]},
        # The command itself reports what uvicorn logs at INFO. Operators do not need alembic's INFO lines.
        "loggers": {name: {"level": "WARNING"} for name in ("uvicorn", "websockets", "alembic", "httpx")},
    }
