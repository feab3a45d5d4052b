"""Imports of customers."""

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
    "How a row finds an existing customer. A customer id in the row takes precedence.",
    EMAIL="By e-mail address, case-insensitive.",
    PHONE="By phone number, in any notation.",
    EXTERNAL_ID="By the id in the external system that a column is mapped to.",
    NONE="No matching: every row creates a customer.",
)
describe_values(
    OnDuplicate,
    "What happens to a row whose customer exists.",
    SKIP="The row is skipped. Within the file, the first row wins.",
    UPDATE="The customer is updated. A blank cell never clears a value.",
    CREATE="Another customer is created.",
)


@strawberry.type(description="A column of a file.")
class ImportColumn:
    header: str = column("Header of the column.")
    samples: list[str] = column("Sample values.")
    suggested: str | None = column("Key of the suggested field; null if there is no suggestion.")
    confidence: float = column("Confidence of the suggestion, 0 to 1.")


@strawberry.type(description="Preview of a file before its import.")
class ImportPreview:
    row_count: int = column("Number of rows, without the header and empty rows.")
    columns: list[ImportColumn] = column("Its columns.")
    sample: list[JSON] = column("First rows, as objects with the headers as keys.")


@strawberry.input(description="Mapping of a column to a field.")
class ImportMapping:
    header: str = strawberry.field(description="The column.")
    field: str = strawberry.field(description="Key of an importable field, as in `FieldInfo.key`.")


@strawberry.input(description="A file to import, with its options.")
class ImportInput:
    upload: strawberry.ID = strawberry.field(description="Id that `POST /uploads` returned.")
    format: Maybe[FileFormat | None] = strawberry.field(description="File format. Default: detected from the content.")
    mapping: Maybe[list[ImportMapping] | None] = strawberry.field(
        description="Columns to read; at most 500. Default: the suggestions of the preview."
    )
    match_on: ImportMatch = strawberry.field(
        default=ImportMatch.EMAIL, description="How rows find existing customers. Default: EMAIL."
    )
    on_duplicate: OnDuplicate = strawberry.field(
        default=OnDuplicate.SKIP, description="What happens to rows of existing customers. Default: SKIP."
    )
    stage: CustomerStage = strawberry.field(
        default=CustomerStage.TO_BE_ASSIGNED, description="Stage of new customers: NEW or TO_BE_ASSIGNED."
    )
    add_tags: Maybe[list[TagRef] | None] = strawberry.field(description="Tags to add to every customer; at most 150.")


@strawberry.type
class Query:
    @guarded(
        Permission.CUSTOMER_IMPORT,
        "Previews an upload of the viewer and suggests a mapping of its columns. Requires CUSTOMER_IMPORT.",
    )
    async def import_preview(
        self, info: Info, upload: Annotated[strawberry.ID, strawberry.argument(description="Id of the upload.")]
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
        (
            "Imports the rows of an upload; each row succeeds or fails on its own. Runs as a Job; failed rows "
            "come back as a file with the reasons. Dry run: `options.dryRun`; undo: `jobUndo`. Requires "
            "CUSTOMER_IMPORT, plus CUSTOMER_CREATE for new and CUSTOMER_UPDATE for existing customers. Errors: "
            "NOT_FOUND, INVALID, FIELD_UNKNOWN, LIMIT_EXCEEDED."
        ),
        payload=JobPayload,
    )
    async def customers_import(
        self,
        info: Info,
        input: Annotated[ImportInput, strawberry.argument(description="File and options of the import.")],
        options: OptionsArgument = None,
    ) -> JobPayload:
        context, wanted = info.context, input_data(input)
        looked = await jobs.read_request(context.session, context.viewer, wanted)
        return await context.mutate(
            lambda unit: jobs.start_import(unit, wanted, looked, options_data(options)), job_payload
        )
