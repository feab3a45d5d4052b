"""The limits on requests, and the checks that enforce the limits on documents and variables."""

from graph.limits.documents import check_document
from graph.limits.limits import Limits
from graph.limits.variables import check_variables

__all__ = ["Limits", "check_document", "check_variables"]
