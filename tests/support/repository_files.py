"""The repository's files, for the tests that look at them."""

import subprocess
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[2]
FLOORS: Final = ("graph", "crm", "db", "cli")


def tracked() -> list[Path]:
    """What git keeps, or is about to; relative to the root. Without git, whatever lies where sources lie."""
    # The owner of a clone may be another user than the one who tests it.
    listed = subprocess.run(
        ["git", "-c", "safe.directory=*", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        check=False,
        text=True,
    )
    names = listed.stdout.split("\0") if listed.returncode == 0 else _lying_around()
    return [Path(name) for name in names if name and (ROOT / name).is_file()]


def modules(*rooms: str) -> list[Path]:
    """The Python files of these rooms; of all where none is named."""
    return [path for path in tracked() if path.suffix == ".py" and (not rooms or path.parts[0] in rooms)]


def _lying_around() -> list[str]:
    rooms = [*FLOORS, "tests", "bench", "docs", ".ci"]
    found = [path for room in rooms for path in (ROOT / room).rglob("*") if "node_modules" not in path.parts]
    return [str(path.relative_to(ROOT)) for path in [*found, *ROOT.glob("*")] if path.suffix not in (".pyc", ".so")]
