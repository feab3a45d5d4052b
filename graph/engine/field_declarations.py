"""How a type's fields are declared: once, for graphql-core and for a whole level at a time alike."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Annotated, Any, TypeAlias, get_args

from strawberry import UNSET, Info
from strawberry.annotation import StrawberryAnnotation
from strawberry.dataloader import DataLoader
from strawberry.parent import StrawberryParent
from strawberry.types.arguments import StrawberryArgument
from strawberry.types.field import StrawberryField
from strawberry.types.fields.resolver import StrawberryResolver

from graph.engine.leaf_codegen import Inline

__all__ = ["Batched", "Column", "Declared", "Inline", "Rows", "batched", "column"]

# All objects of one level whose field is wanted: what a batched field receives in place of one `self`.
Rows: TypeAlias = Annotated[Any, StrawberryParent()]

Convert = Callable[[Any], Any]
Batch = Callable[..., Awaitable[Sequence[Any]]]


class Declared(StrawberryField):
    """A field whose arguments may be left out without the schema giving them a null for a default."""

    @property
    def arguments(self) -> list[StrawberryArgument]:
        found = super().arguments
        for argument in found:
            if argument.default is None:
                argument.default = UNSET
        return found

    @arguments.setter
    def arguments(self, value: list[StrawberryArgument]) -> None:
        self._arguments = value


class Column(Declared):
    """A leaf read off its row. `metadata` holds `column`, its name there, and `convert`, for what is not null."""

    @property
    def column(self) -> str:
        return self.metadata.get("column") or str(self.python_name)

    @property
    def convert(self) -> Convert | None:
        return self.metadata.get("convert")

    def get_result(self, source: Any, info: Info | None, args: list[Any], kwargs: Any) -> Any:
        value = getattr(source, self.column)
        convert = self.convert
        return value if convert is None or value is None else convert(value)


class Batched(Declared):
    """A field that is asked once for all objects of a level. `metadata` holds `batch`, the function, `needs`, the
    columns of the objects that it reads, `reads`, those of the rows that it loads, and `carries`, whether the rows that
    it hands over were chosen by whoever made its objects."""

    @property
    def batch(self) -> Batch:
        batch: Batch = self.metadata["batch"]
        return batch

    @property
    def needs(self) -> frozenset[str]:
        needs: frozenset[str] = self.metadata["needs"]
        return needs

    @property
    def reads(self) -> frozenset[str]:
        reads: frozenset[str] = self.metadata["reads"]
        return reads

    @property
    def carries(self) -> bool:
        carries: bool = self.metadata["carries"]
        return carries

    @property
    def is_async(self) -> bool:
        return True

    def get_result(self, source: Any, info: Info | None, args: list[Any], kwargs: Any) -> Any:
        """One object's share, gathered with its siblings' by a DataLoader of this place in the document."""
        assert info is not None
        loaders: dict[Any, DataLoader[Any, Any]] = info.context.loaders
        place = (tuple(key for key in info.path.as_list() if isinstance(key, str)), info._raw_info.parent_type.name)
        loader = loaders.get(place)
        if loader is None:
            arguments = {name: value for name, value in kwargs.items() if name not in ("parents", "info")}
            loader = loaders[place] = DataLoader(
                load_fn=lambda parents: self.batch(parents, info, **arguments), cache=False
            )
        return loader.load(source)


def column(description: str, *, of: str | None = None, convert: Convert | None = None) -> Any:
    """A field that is the row's column of the same name, or the one named by `of`."""
    return Column(description=description, metadata={"column": of, "convert": convert})


def batched(
    description: str,
    *,
    needs: Sequence[str] = (),
    reads: Sequence[str] = (),
    carries: bool = False,
    directives: Sequence[object] = (),
) -> Callable[[Batch], Any]:
    """Declares `async def field(parents: Rows, info: Info, **arguments) -> list[T]` as a field of type T.

    The function gets the objects of a whole level and gives one result for each, in their order; an exception in
    the list fails that object's field alone. `needs` names the columns of the objects that it reads, `reads` those that
    it looks at in the rows it loads before it hands them over. One that `carries` hands over rows that its objects
    brought along, as a connection does its page: whoever makes the objects is told which columns are wanted of them.
    """

    def declare(function: Batch) -> Any:
        (kind,) = get_args(function.__annotations__["return"])
        return Batched(
            python_name=getattr(function, "__name__", None),
            type_annotation=StrawberryAnnotation(kind, namespace=function.__globals__),
            description=description,
            base_resolver=StrawberryResolver(function),
            directives=directives,
            metadata={
                "batch": function,
                "needs": frozenset(needs),
                "reads": frozenset(reads),
                "carries": carries,
            },
        )

    return declare
