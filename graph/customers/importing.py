"""Bringing customers in from a file."""

from typing import Annotated, Any

import strawberry
from strawberry import Info, Maybe
from strawberry.scalars import JSON

from crm import errors
from crm.importing import jobs, preview
from crm.importing.matching import ImportMatch
from crm.importing.rows import OnDuplicate
from db.tables.enums import FileFormat
from graph.access.permissions import guarded
from graph.catalogue.tags import TagRef
from graph.customers.bulk import OptionsArgument
from graph.engine.field_declarations import column
from graph.errors.top_level import BadUserInput
from graph.errors.user_errors import mutation
from graph.jobs.jobs import JobPayload, job_payload, options_data
from graph.types.enums import CustomerStage, Permission, describe_values
from graph.types.inputs import input_data

describe_values(
    ImportMatch,
    "How a row of a file finds the customer that it means. A customer's own id in the row goes before.",
    EMAIL="By the e-mail address, whatever its case.",
    PHONE="By the telephone number, in any notation.",
    EXTERNAL_ID="By the id in the one other system that a column is mapped to.",
    NONE="Not at all: every row is a new customer.",
)
describe_values(
    OnDuplicate,
    "What is done with a row that means a customer who is there.",
    SKIP="Nothing; in the file itself the first row wins.",
    UPDATE="The customer is changed; a blank cell never wipes a value.",
    CREATE="Another customer is made.",
)


@strawberry.type(description="A column of a file.")
class ImportColumn:
    header: str = column("What stands above it.")
    samples: list[str] = column("Some of its values.")
    suggested: str | None = column("The key of the field that it seems to mean; null where it seems to mean none.")
    confidence: float = column("How sure that is, from 0 to 1.")


@strawberry.type(description="A file before it is imported.")
class ImportPreview:
    row_count: int = column("How many rows it has, without the header and empty ones.")
    columns: list[ImportColumn] = column("Its columns.")
    sample: list[JSON] = column("The first rows, by their headers.")


@strawberry.input(description="Which field a column fills.")
class ImportMapping:
    header: str = strawberry.field(description="The column.")
    field: str = strawberry.field(description="The key of a FieldInfo that can be imported.")


@strawberry.input(description="A file to import, and how.")
class ImportInput:
    upload: strawberry.ID = strawberry.field(description="What POST /uploads answered.")
    format: Maybe[FileFormat | None] = strawberry.field(description="What it is written in: seen from it unless given.")
    mapping: Maybe[list[ImportMapping] | None] = strawberry.field(
        description="The columns to read, 500 at most: those that the preview suggests unless given."
    )
    match_on: ImportMatch = strawberry.field(
        default=ImportMatch.EMAIL, description="How rows find the customers that they mean."
    )
    on_duplicate: OnDuplicate = strawberry.field(
        default=OnDuplicate.SKIP, description="What is done with customers who are there."
    )
    stage: CustomerStage = strawberry.field(
        default=CustomerStage.TO_BE_ASSIGNED, description="Where new customers start: NEW or TO_BE_ASSIGNED."
    )
    add_tags: Maybe[list[TagRef] | None] = strawberry.field(description="Tags to put on every customer, 150 at most.")


@strawberry.type
class Query:
    @guarded(Permission.CUSTOMER_IMPORT, "What one's own upload holds, and what its columns seem to mean.")
    async def import_preview(
        self, info: Info, upload: Annotated[strawberry.ID, strawberry.argument(description="The upload's id.")]
    ) -> ImportPreview:
        try:
            found: Any = await preview.preview_import(info.context.session, info.context.viewer, upload)
        except errors.BadUserInput as error:
            raise BadUserInput(error.message, reason=error.reason) from None
        return found


@strawberry.type
class Mutation:
    @mutation(
        Permission.CUSTOMER_IMPORT,
        "Bring the rows of an upload in, each for itself. Making needs CUSTOMER_CREATE, changing CUSTOMER_UPDATE.",
        payload=JobPayload,
    )
    async def customers_import(
        self,
        info: Info,
        input: Annotated[ImportInput, strawberry.argument(description="The file, and what to do with it.")],
        options: OptionsArgument = None,
    ) -> JobPayload:
        context, wanted = info.context, input_data(input)
        looked = await jobs.read_request(context.session, context.viewer, wanted)
        return await context.mutate(
            lambda unit: jobs.start_import(unit, wanted, looked, options_data(options)), job_payload
        )
