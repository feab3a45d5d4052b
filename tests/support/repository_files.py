"""The repository's files, for the tests that inspect them."""

import subprocess
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[2]
LAYERS: Final = ("graph", "crm", "db", "cli")


def tracked() -> list[Path]:
    """The files that git tracks or would add, relative to the root. Without git, all files in source directories."""
    # The clone may belong to another user than the one who runs the tests.
    listed = subprocess.run(
        ["git", "-c", "safe.directory=*", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        check=False,
        text=True,
    )
    names = listed.stdout.split("\0") if listed.returncode == 0 else _source_files()
    return [Path(name) for name in names if name and (ROOT / name).is_file()]


def modules(*packages: str) -> list[Path]:
    """The Python files of these packages; of all packages by default."""
    return [path for path in tracked() if path.suffix == ".py" and (not packages or path.parts[0] in packages)]


def _source_files() -> list[str]:
    packages = [*LAYERS, "tests", "bench", "docs", ".ci"]
    found = [path for package in packages for path in (ROOT / package).rglob("*") if "node_modules" not in path.parts]
    return [str(path.relative_to(ROOT)) for path in [*found, *ROOT.glob("*")] if path.suffix not in (".pyc", ".so")]
