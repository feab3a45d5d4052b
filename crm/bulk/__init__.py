"""Bulk work: changes to all customers of a target, chunk by chunk, under the same rules as changes to one customer.

Importing this package registers its job handlers."""

from crm.bulk import archiving, assigning, interactions, reclaiming, segment_members, stages, updating, upserting
from crm.exporting import jobs as exporting
from crm.importing import jobs as importing
from crm.jobs import undo
from crm.merging import merge

HANDLER_MODULES = (
    archiving,
    assigning,
    exporting,
    importing,
    segment_members,
    merge,
    reclaiming,
    interactions,
    stages,
    undo,
    updating,
    upserting,
)
