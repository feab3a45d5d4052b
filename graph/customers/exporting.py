"""Writing customers to a file."""

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
    field: str = strawberry.field(description="The key of a FieldInfo.")
    header: str | None = strawberry.field(
        default=strawberry.UNSET, description="What stands above it: the key unless given."
    )


@strawberry.input(description="How a file is to be written.")
class ExportOptions:
    bom: bool = strawberry.field(
        default=False, description="Begin a CSV with the mark that tells old spreadsheets its encoding."
    )
    label: str | None = strawberry.field(default=strawberry.UNSET, description="A name to find the job by.")


@strawberry.type
class Mutation:
    @mutation(
        Permission.CUSTOMER_EXPORT,
        "Write many customers, or all, to a file; the job has the link. Imported again, it changes nothing.",
        payload=JobPayload,
    )
    async def customers_export(
        self,
        info: Info,
        target: TargetArgument,
        format: Annotated[FileFormat, strawberry.argument(description="What the file is written in.")] = FileFormat.CSV,
        columns: Annotated[
            list[ColumnInput] | None,
            strawberry.argument(
                description="The columns in order, 500 at most: all that can be exported unless given."
            ),
        ] = None,
        options: Annotated[ExportOptions | None, strawberry.argument(description="How it is to be written.")] = None,
    ) -> JobPayload:
        wanted = None if columns is None else [{"field": one.field, "header": one.header or None} for one in columns]
        chosen = {"bom": options.bom, "label": options.label or None} if options else {}
        return await info.context.mutate(
            lambda unit: jobs.start_export(unit, target_data(target), FileFormat(format), wanted, chosen), job_payload
        )
