"""Field declarations that serve both executors: per object for graphql-core, per level for the engine."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Annotated, Any, TypeAlias, get_args

from strawberry import UNSET, Info
from strawberry.annotation import StrawberryAnnotation
from strawberry.dataloader import DataLoader
from strawberry.parent import StrawberryParent
from strawberry.types.arguments import StrawberryArgument
from strawberry.types.field import StrawberryField
from strawberry.types.fields.resolver import StrawberryResolver

from graph.engine.leaf_codegen import InlineConversion

__all__ = ["BatchedField", "ColumnField", "DeclaredField", "InlineConversion", "ParentRows", "batched", "column"]

ParentRows: TypeAlias = Annotated[Any, StrawberryParent()]
"""All objects of the level: what a batched field receives in place of a single `self`."""

ConvertValue = Callable[[Any], Any]
LoadBatch = Callable[..., Awaitable[Sequence[Any]]]


class DeclaredField(StrawberryField):
    """A field with optional arguments whose schema definition has no default value of null."""

    @property
    def arguments(self) -> list[StrawberryArgument]:
        arguments = super().arguments
        for argument in arguments:
            if argument.default is None:
                argument.default = UNSET
        return arguments

    @arguments.setter
    def arguments(self, value: list[StrawberryArgument]) -> None:
        self._arguments = value


class ColumnField(DeclaredField):
    """A leaf field that reads an attribute of its row. Create it with `column`."""

    @property
    def column(self) -> str:
        """The attribute's name."""
        return self.metadata.get("column") or str(self.python_name)

    @property
    def convert(self) -> ConvertValue | None:
        """The conversion of values other than null."""
        return self.metadata.get("convert")

    def get_result(self, source: Any, info: Info | None, args: list[Any], kwargs: Any) -> Any:
        value = getattr(source, self.column)
        convert = self.convert
        return value if convert is None or value is None else convert(value)


class BatchedField(DeclaredField):
    """A field that is resolved once for all objects of a level. Create it with `batched`."""

    @property
    def batch(self) -> LoadBatch:
        batch: LoadBatch = self.metadata["batch"]
        return batch

    @property
    def parent_columns(self) -> frozenset[str]:
        columns: frozenset[str] = self.metadata["parent_columns"]
        return columns

    @property
    def inspected_columns(self) -> frozenset[str]:
        columns: frozenset[str] = self.metadata["inspected_columns"]
        return columns

    @property
    def from_parent(self) -> bool:
        from_parent: bool = self.metadata["from_parent"]
        return from_parent

    @property
    def is_async(self) -> bool:
        return True

    def get_result(self, source: Any, info: Info | None, args: list[Any], kwargs: Any) -> Any:
        """One object's result for graphql-core. A DataLoader batches the objects at this path of the document."""
        assert info is not None
        loaders: dict[Any, DataLoader[Any, Any]] = info.context.loaders
        path = (tuple(key for key in info.path.as_list() if isinstance(key, str)), info._raw_info.parent_type.name)
        loader = loaders.get(path)
        if loader is None:
            arguments = {name: value for name, value in kwargs.items() if name not in ("parents", "info")}
            loader = loaders[path] = DataLoader(
                load_fn=lambda parents: self.batch(parents, info, **arguments), cache=False
            )
        return loader.load(source)


def column(description: str, *, column_name: str | None = None, convert: ConvertValue | None = None) -> Any:
    """A field that reads the row's column of the same name, or the column `column_name`.

    `convert` is applied to values other than null.
    """
    return ColumnField(description=description, metadata={"column": column_name, "convert": convert})


def batched(
    description: str,
    *,
    parent_columns: Sequence[str] = (),
    inspected_columns: Sequence[str] = (),
    from_parent: bool = False,
    directives: Sequence[object] = (),
) -> Callable[[LoadBatch], Any]:
    """Declares `async def field(parents: ParentRows, info: Info, **arguments) -> list[T]` as a field of type T.

    The function receives all objects of a level and returns one result for each, in their order. An exception in the
    list fails the field of that object alone.

    `parent_columns` are the columns that the function reads of its parents. `inspected_columns` are the columns that it
    reads of the rows it loads. `from_parent` says that the rows come with the parents, as a page comes with its
    connection: the field that loads the parents then reads the columns that are selected of these rows.
    """

    def declare(function: LoadBatch) -> Any:
        (result_type,) = get_args(function.__annotations__["return"])
        return BatchedField(
            python_name=getattr(function, "__name__", None),
            type_annotation=StrawberryAnnotation(result_type, namespace=function.__globals__),
            description=description,
            base_resolver=StrawberryResolver(function),
            directives=directives,
            metadata={
                "batch": function,
                "parent_columns": frozenset(parent_columns),
                "inspected_columns": frozenset(inspected_columns),
                "from_parent": from_parent,
            },
        )

    return declare
