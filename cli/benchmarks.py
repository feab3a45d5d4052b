"""The benchmarks: they live beside the code in its repository, and are not installed with it."""

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from cli.errors import Refused


def run(arguments: Sequence[str]) -> None:
    repository = Path(__file__).resolve().parent.parent
    if not (repository / "bench" / "__main__.py").is_file():
        raise Refused("The benchmarks (bench/) are not installed; run this from a clone of the repository.")
    ended = subprocess.run([sys.executable, "-m", "bench", *arguments], cwd=repository, check=False)
    sys.exit(ended.returncode)
