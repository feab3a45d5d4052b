"""Resource usage: elapsed seconds, CPU seconds of this process and of the database, memory."""

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path


@dataclass(slots=True)
class ResourceUsage:
    seconds: float = 0.0
    own: float = 0.0
    """CPU seconds of this process; with SQLite they include the database."""
    database: float = 0.0
    """CPU seconds of PostgreSQL's processes on this machine."""

    @property
    def cpu(self) -> float:
        return self.own + self.database

    def __str__(self) -> str:
        return f"{self.seconds:.1f} s, CPU {self.cpu:.1f} s ({self.own:.1f} here, {self.database:.1f} in the database)"


@contextmanager
def measure_usage(url: str) -> Iterator[ResourceUsage]:
    """Filled in when the work is done. Includes all processes of PostgreSQL on this machine that serve the database."""
    found = ResourceUsage()
    before, began, own = _backends(url), time.perf_counter(), time.process_time()
    yield found
    found.seconds, found.own = time.perf_counter() - began, time.process_time() - own
    found.database = sum(cpu - before.get(pid, 0.0) for pid, cpu in _backends(url).items())


def _backends(url: str) -> dict[int, float]:
    """CPU seconds of PostgreSQL's processes for this database, by process id."""
    if url.startswith("sqlite:"):
        return {}
    name = url.rpartition("/")[2].partition("?")[0]
    found = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                title = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace").split()
                if title[:1] == ["postgres:"] and name in title:
                    found[int(entry.name)] = cpu_seconds(int(entry.name))
            except OSError:
                continue
    return found


def cpu_seconds(pid: int) -> float:
    """User and system seconds of a process."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def memory_megabytes(pid: int | None = None) -> float:
    """Current memory of a process in megabytes."""
    text = Path(f"/proc/{pid or 'self'}/status").read_text()
    return int(next(line for line in text.splitlines() if line.startswith("VmRSS:")).split()[1]) / 1024
