"""Small values that several types share: external ids, addresses."""

from graph.values.addresses import Address, AddressInput
from graph.values.external_ids import ExternalId, ExternalIdInput

__all__ = ["Address", "AddressInput", "ExternalId", "ExternalIdInput"]
