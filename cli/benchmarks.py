"""The `bench` command. The benchmarks are part of the repository, not of the installed package."""

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from cli.errors import CommandError


def run_benchmarks(arguments: Sequence[str]) -> None:
    repository = Path(__file__).resolve().parent.parent
    if not (repository / "bench" / "__main__.py").is_file():
        raise CommandError("The benchmarks (bench/) are not installed; run this command in a clone of the repository.")
    ended = subprocess.run([sys.executable, "-m", "bench", *arguments], cwd=repository, check=False)
    sys.exit(ended.returncode)
