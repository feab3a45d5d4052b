"""Many at once: what can be done to a target of customers, chunk by chunk, by the rules of a single one.

Importing this room makes its verbs known to jobs.
"""

from crm import merging
from crm.bulk import archiving, assigning, membership, reclaiming, recording, stages, updating, upserting
from crm.exporting import jobs as exporting
from crm.importing import jobs as importing
from crm.jobs import undoing

ROOMS = (
    archiving,
    assigning,
    exporting,
    importing,
    membership,
    merging,
    reclaiming,
    recording,
    stages,
    undoing,
    updating,
    upserting,
)
