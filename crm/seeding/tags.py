"""Tags: about forty BUSINESS and ten WECOM tags."""

from collections.abc import Mapping

from crm.seeding import log_values
from crm.seeding.plan import SeedTag
from crm.seeding.random_source import RandomSource
from crm.seeding.rows import ChunkRows
from db import tables
from db.tables.enums import TagKind
from db.values.folding import fold, fold_case

_COLORS = ("#2563eb", "#16a34a", "#dc2626", "#d97706", "#7c3aed", "#0891b2", "#db2777", "#4b5563")

# The most frequent tags come first.
_BUSINESS = (
    "Newsletter", "Khách quen", "Online", "Abbonato", "Bán lẻ", "Promo 8/3", "Pelanggan setia", "Facebook",
    "Da richiamare", "Bán sỉ", "Zalo", "Offerta estate", "Grosir", "Khách mới", "Referral", "Tết 2026", "Trả góp",
    "Natale 2025", "Ramadan 2026", "Đà Nẵng", "B2B", "Cảm ơn", "Rivenditore", "Reseller", "Trade fair",
    "Sản phẩm đỏ", "Pagamento in ritardo", "Cần hóa đơn", "Fattura elettronica", "Garansi", "Birthday club",
    "Hội chợ 2025", "Black Friday", "Beauty", "Điện tử", "Casa & giardino", "Dapur", "Kids", "Complaint", "VAT exempt",
)  # fmt: skip
_WECOM = (
    "WeCom: active", "WeCom: group buyer", "WeCom: silent", "WeCom: 新客户", "WeCom: 老客户", "WeCom: live stream",
    "WeCom: coupon used", "WeCom: 高意向", "WeCom: moments", "WeCom: service",
)  # fmt: skip
_DESCRIPTIONS = {
    "Khách quen": "Mua từ ba lần trở lên.",
    "Da richiamare": "Ha chiesto di essere richiamato.",
    "Pelanggan setia": "Belanja setiap bulan.",
    "Complaint": "Has an open complaint.",
    "Tết 2026": "Quà Tết 2026.",
}


def add_tags(
    rows: ChunkRows, source: RandomSource, created_at: int, *, existing: Mapping[tuple[int, str], bytes]
) -> tuple[SeedTag, ...]:
    """Adds the tags that do not exist yet by kind and case-folded name; returns all, the frequent ones first."""
    labels = []
    names = [(name, TagKind.BUSINESS) for name in _BUSINESS] + [(name, TagKind.WECOM) for name in _WECOM]
    for index, (name, kind) in enumerate(names):
        key, identifier = fold(name), source.record_id(created_at)
        existing_id = existing.get((kind.value, fold_case(name)))
        labels.append(SeedTag(existing_id or identifier, key, log_values.tag_wire_id(existing_id or identifier)))
        if existing_id:
            continue
        color, description = _COLORS[index % len(_COLORS)], _DESCRIPTIONS.get(name)
        rows.rows_of(tables.Tag).append(
            (rows.workspace_id, identifier, created_at, name, key, fold_case(name), kind.value, color, description),
        )
        fields = (("name", name), ("kind", kind.name), ("color", color), ("description", description))
        rows.log_created("Tag", identifier, created_at, fields)
    return tuple(labels)
