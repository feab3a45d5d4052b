"""Many at once: what can be done to a target of customers, chunk by chunk, by the rules of a single one.

Importing this room makes its verbs known to jobs.
"""

from crm.bulk import archiving, assigning, interactions, reclaiming, segment_members, stages, updating, upserting
from crm.exporting import jobs as exporting
from crm.importing import jobs as importing
from crm.jobs import undo
from crm.merging import merge

ROOMS = (
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
