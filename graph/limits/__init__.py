"""The limits at the door, in one place, and the measuring of what is held against them."""

from graph.limits.documents import check as check_document
from graph.limits.limits import Limits
from graph.limits.variables import check as check_variables

__all__ = ["Limits", "check_document", "check_variables"]
