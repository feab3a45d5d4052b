"""The breadth-first executor and the field declarations that it plans from.

The package depends on Strawberry and graphql-core only, not on the rest of the product. README.md explains it.
"""

from graph.engine.extension import BreadthFirstEngine

__all__ = ["BreadthFirstEngine"]
