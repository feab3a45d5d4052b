"""Example operations, one file per root field. The schema shows them in the descriptions of the root fields."""

from collections.abc import Mapping
from pathlib import Path


def read_examples() -> Mapping[str, str]:
    """The text of each example operation, by the name of its root field."""
    return {path.stem: path.read_text(encoding="utf-8").strip() for path in Path(__file__).parent.glob("*.graphql")}
