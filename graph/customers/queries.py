"""Queries of customers."""

from typing import Annotated, Any, cast

import strawberry
from strawberry import UNSET, Info

from db.queries.customers import customers
from db.values.folding import email_key
from graph.access.permissions import guarded
from graph.customers.connections import CustomerConnection
from graph.customers.types import Customer
from graph.errors.top_level import BadUserInput
from graph.filtering import list_arguments
from graph.types.connections import AfterArgument, BeforeArgument, FirstArgument, LastArgument, page_request
from graph.types.enums import ArchivedScope, Permission
from graph.types.external_ids import ExternalIdInput


@strawberry.input(description="Reference to one customer: exactly one of the fields.", one_of=True)
class CustomerRef:
    id: strawberry.Maybe[strawberry.ID] = strawberry.field(description="Id of the record.")
    external_id: strawberry.Maybe[ExternalIdInput] = strawberry.field(description="Id in another system.")
    email: strawberry.Maybe[str] = strawberry.field(
        description="E-mail address, case-insensitive. It must belong to one customer only (else AMBIGUOUS)."
    )


@strawberry.type
class Query:
    @guarded(Permission.CUSTOMER_VIEW, "One customer; null if there is none that the viewer can see.")
    async def customer(
        self, info: Info, by: Annotated[CustomerRef, strawberry.argument(description="Which one.")]
    ) -> Customer | None:
        visibility = info.context.viewer.visibility
        if by.id:
            return await info.context.load_by_wire_id(customers.by_ids, "Customer", by.id.value, visibility)
        if by.external_id:
            named = by.external_id.value
            return cast(
                Any, await customers.by_external_id(info.context.session, named.system, named.value, visibility)
            )
        assert by.email is not None
        found = await customers.by_email(info.context.session, email_key(by.email.value), visibility)
        if len(found) > 1:
            raise BadUserInput(
                f"More than one customer has the e-mail address {by.email.value}; use the id of one of them.",
                reason="AMBIGUOUS",
            )
        return cast(Any, found[0]) if found else None

    @guarded(Permission.CUSTOMER_VIEW, "Customers that the viewer can see.")
    async def customers(
        self,
        info: Info,
        filter: list_arguments.CustomerFilterArgument = UNSET,
        search: list_arguments.SearchArgument = None,
        search_fields: list_arguments.SearchFieldsArgument = None,
        sort: list_arguments.CustomerSortArgument = None,
        archived: Annotated[
            ArchivedScope, strawberry.argument(description="Whether archived customers are included. Default: EXCLUDE.")
        ] = ArchivedScope.EXCLUDE,
        first: FirstArgument = None,
        after: AfterArgument = None,
        last: LastArgument = None,
        before: BeforeArgument = None,
    ) -> CustomerConnection:
        return await list_arguments.customer_list(
            info.context,
            page_request(first, after, last, before),
            filter=filter,
            search=search,
            fields=search_fields,
            sort=sort,
            archived=archived.name,
        )
