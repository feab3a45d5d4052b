"""Measures the server against a hand-written one, in turn, and prints the ratios.

    python -m bench --url postgresql://user@host/database --customers 1000000
    python -m bench --url sqlite:////tmp/bench.db --works P1 P2

Figures of one run compare with each other only. `--save` adds the table to bench/RESULTS.md.
"""

import argparse
import asyncio
from collections import defaultdict
from collections.abc import Sequence
from contextlib import ExitStack

import orjson

from bench import data, load, results
from bench import servers as serving
from bench.documents import WORKS, Work
from bench.results import Measured


def main() -> None:
    chosen = _arguments()
    works = [work for work in WORKS if work.name in chosen.works]
    made = asyncio.run(data.prepare_data(chosen.url, chosen.customers, chosen.email))
    measured: dict[tuple[str, str], list[Measured]] = defaultdict(list)
    with ExitStack() as running:
        servers = [running.enter_context(serving.start_server(name, made)) for name in chosen.servers]
        for work in works:
            _prepare(servers, work, made, chosen.connections)
        for number in range(chosen.rounds):
            for work in works:
                for server in servers:
                    figure = _measure(server, work, made, chosen.seconds, chosen.connections)
                    measured[work.name, server.name].append(figure)
                    print(f"round {number + 1}: {work.name} by {server.name}: {figure}")
    table = results.results_table(works, measured, chosen.servers)
    print("\n" + table)
    if chosen.save:
        results.save_results(table, chosen)


def _prepare(servers: Sequence[serving.Server], work: Work, made: data.BenchData, connections: int) -> None:
    """Compiles everything before the measurement and checks that the answers are equal byte for byte."""
    body = _body(work, made)
    answers = set()
    for server in servers:
        answers.add(orjson.dumps(orjson.loads(serving.send_query(server, work.name, body, made.token))["data"]))
        sent = load.encode_request(server.path(work.name), body, made.token)
        load.run_load(server.port, sent, connections=connections, seconds=1)
    if len(answers) > 1:
        raise SystemExit(f"The servers do not answer {work.name} alike.")


def _measure(server: serving.Server, work: Work, made: data.BenchData, seconds: float, connections: int) -> Measured:
    """The cost of one request."""
    sent = load.encode_request(server.path(work.name), _body(work, made), made.token)
    before = server.cpu
    driven = load.run_load(server.port, sent, connections=connections, seconds=seconds)
    if driven.failures:
        raise SystemExit(f"{server.name} failed {driven.failures} of {driven.requests} requests of {work.name}")
    spent = server.cpu - before
    return Measured(1000 * spent / driven.requests, driven.requests / driven.seconds)


def _body(work: Work, made: data.BenchData) -> bytes:
    return orjson.dumps({"query": work.document, "variables": work.variables(made)})


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
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--seconds", type=float, default=1.0)
    parser.add_argument("--connections", type=int, default=8)
    parser.add_argument("--save", action="store_true")
    return parser.parse_args()


if __name__ == "__main__":
    main()
