"""Measures the server against a hand-written one, in turn, and prints the ratios.

    python -m bench --url postgresql://user@host/database --customers 1000000
    python -m bench --url sqlite:////tmp/bench.db --works P1 P2

Figures of one run compare with each other only. `--save` adds the table to bench/RESULTS.md.
"""

import argparse
import asyncio
from collections import defaultdict

import orjson

from bench import data, load, results, serving
from bench.documents import WORKS, Work
from bench.results import Measured


def main() -> None:
    chosen = _arguments()
    works = [work for work in WORKS if work.name in chosen.works]
    made = asyncio.run(data.made(chosen.url, chosen.customers, chosen.email))
    measured: dict[tuple[str, str], list[Measured]] = defaultdict(list)
    for number in range(chosen.rounds):
        answers: dict[str, set[bytes]] = defaultdict(set)
        for name in chosen.servers:
            with serving.running(name, made) as server:
                for work in works:
                    answer, figure = _measure(server, work, made, chosen.seconds, chosen.connections)
                    answers[work.name].add(answer)
                    measured[work.name, name].append(figure)
                    print(f"round {number + 1}: {work.name} by {name}: {figure}")
        different = [name for name, found in answers.items() if len(found) > 1]
        if different:
            raise SystemExit(f"The servers do not answer alike: {different}")
    table = results.table(works, measured, chosen.servers)
    print("\n" + table)
    if chosen.save:
        results.save(table, chosen)


def _measure(
    server: serving.Server, work: Work, made: data.Data, seconds: float, connections: int
) -> tuple[bytes, Measured]:
    """The answer's data, and what an answer costs. What is compiled at the first use is compiled before."""
    body = orjson.dumps({"query": work.document, "variables": work.variables(made)})
    answer = orjson.dumps(orjson.loads(serving.ask(server, work.name, body, made.token))["data"])
    sent = load.request(server.path(work.name), body, made.token)
    load.drive(server.port, sent, connections=connections, seconds=0.5)
    before = server.cpu
    driven = load.drive(server.port, sent, connections=connections, seconds=seconds)
    if driven.failures:
        raise SystemExit(f"{server.name} failed {driven.failures} of {driven.requests} requests of {work.name}")
    spent = server.cpu - before
    return answer, Measured(1000 * spent / driven.requests, driven.requests / driven.seconds)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        "clientela bench", description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--url", default="sqlite:///.clientela/bench.db", help="The database; made where it is SQLite.")
    parser.add_argument("--customers", type=int, default=100_000)
    parser.add_argument("--email", help="An agent whose workspace is measured, in place of one that is made.")
    parser.add_argument(
        "--works", nargs="+", default=[work.name for work in WORKS], choices=[work.name for work in WORKS]
    )
    parser.add_argument("--servers", nargs="+", default=list(serving.SERVERS), choices=serving.SERVERS)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=3.0)
    parser.add_argument("--connections", type=int, default=8)
    parser.add_argument("--save", action="store_true")
    return parser.parse_args()


if __name__ == "__main__":
    main()
