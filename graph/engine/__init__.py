"""The executor and the declarations it plans from; knows nothing of customers. See README.md beside this file."""

from graph.engine.extension import Entrance

__all__ = ["Entrance"]
