"""Exports of customers."""

from typing import Annotated

import strawberry
from strawberry import Info

from crm.exporting import jobs
from db.tables.enums import FileFormat
from graph.customers.bulk import TargetArgument, target_data
from graph.errors.user_errors import mutation
from graph.jobs.jobs import JobPayload, job_payload
from graph.types.enums import Permission


@strawberry.input(description="A column of an export.")
class ColumnInput:
    field: str = strawberry.field(description="Key of a field, as in `FieldInfo.key`.")
    header: str | None = strawberry.field(
        default=strawberry.UNSET, description="Header of the column. Default: the key."
    )


@strawberry.input(description="Options of an export.")
class ExportOptions:
    bom: bool = strawberry.field(
        default=False, description="True starts a CSV file with a byte order mark, for old spreadsheet programs."
    )
    label: str | None = strawberry.field(default=strawberry.UNSET, description="Label of the job.")


@strawberry.type
class Mutation:
    @mutation(
        Permission.CUSTOMER_EXPORT,
        (
            "Exports customers to a CSV, XLSX or JSONL file as a Job; `Job.files` has a signed link that expires "
            "after a day. Importing the file again changes nothing. Large exports run in the background; there "
            "is no undo. Requires CUSTOMER_EXPORT. Errors: FIELD_UNKNOWN, LIMIT_EXCEEDED, EMPTY_TARGET."
        ),
        payload=JobPayload,
    )
    async def customers_export(
        self,
        info: Info,
        target: TargetArgument,
        format: Annotated[FileFormat, strawberry.argument(description="File format.")] = FileFormat.CSV,
        columns: Annotated[
            list[ColumnInput] | None,
            strawberry.argument(description="Columns in order; at most 500. Default: all exportable fields."),
        ] = None,
        options: Annotated[ExportOptions | None, strawberry.argument(description="Options of the export.")] = None,
    ) -> JobPayload:
        wanted = None if columns is None else [{"field": one.field, "header": one.header or None} for one in columns]
        chosen = {"bom": options.bom, "label": options.label or None} if options else {}
        return await info.context.mutate(
            lambda unit: jobs.start_export(unit, target_data(target), FileFormat(format), wanted, chosen), job_payload
        )
