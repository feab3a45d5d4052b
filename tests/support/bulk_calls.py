"""Bulk mutations over GraphQL and readers of their answers."""

from graph.types.ids import id_encoder

JOB = """{ job { id kind status dryRun matched processed progress error canCancel undoableUntil
  counts { outcome count }
  rows { totalCount pageInfo { hasNextPage } nodes { row outcome node { id } changed { field before after }
    errors { __typename code path row message } } }
  perAgent { agent { name } count } }
  errors { __typename code path message } }"""

UPDATE = f"""mutation ($target: CustomerTarget!, $input: CustomerInput!, $options: BulkOptions) {{
  customersUpdate(target: $target, input: $input, options: $options) {JOB} }}"""


def call(name, arguments=""):
    """A bulk mutation with a target and options."""
    return f"""mutation ($target: CustomerTarget!, $options: BulkOptions) {{
      {name}(target: $target, options: $options{arguments}) {JOB} }}"""


def ids_of(*rows):
    return {"ids": [id_encoder("Customer")(row.id) for row in rows]}


def counts(job):
    return {one["outcome"]: one["count"] for one in job["counts"]}


def outcomes(job):
    return [row["outcome"] for row in job["rows"]["nodes"]]


def codes(job):
    return [[error["code"] for error in row["errors"]] for row in job["rows"]["nodes"]]


MERGE = """mutation ($into: ID!, $from: [ID!]!, $take: [MergeTake!], $dryRun: Boolean! = false) {
  customerMerge(into: $into, from: $from, take: $take, dryRun: $dryRun) {
    customer { id name nickname version mergedFrom phones }
    changed { field before after }
    job { id kind status undoableUntil rows { nodes { row outcome node { id } changed { field } } } }
    errors { code path message ... on LimitError { limit current } }
  }
}"""
