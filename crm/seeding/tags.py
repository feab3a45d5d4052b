"""Tags: about forty of the business and ten of WeCom."""

from collections.abc import Mapping

from crm.seeding import log_values
from crm.seeding.plan import Label
from crm.seeding.random_source import Dice
from crm.seeding.rows import Rows
from db import tables
from db.tables.enums import TagKind
from db.values.folding import fold, fold_case

_COLORS = ("#2563eb", "#16a34a", "#dc2626", "#d97706", "#7c3aed", "#0891b2", "#db2777", "#4b5563")

# Those that many customers wear come first.
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
_DESCRIBED = {
    "Khách quen": "Mua từ ba lần trở lên.",
    "Da richiamare": "Ha chiesto di essere richiamato.",
    "Pelanggan setia": "Belanja setiap bulan.",
    "Complaint": "Has an open complaint.",
    "Tết 2026": "Quà Tết 2026.",
}


def tags(rows: Rows, dice: Dice, moment: int, *, there: Mapping[tuple[int, str], bytes]) -> tuple[Label, ...]:
    """Adds those that are not `there`, by kind and caseless name; returns them all, the frequent ones first."""
    labels = []
    named = [(name, TagKind.BUSINESS) for name in _BUSINESS] + [(name, TagKind.WECOM) for name in _WECOM]
    for place, (name, kind) in enumerate(named):
        key, identifier = fold(name), dice.id(moment)
        known = there.get((kind.value, fold_case(name)))
        labels.append(Label(known or identifier, key, log_values.tag(known or identifier)))
        if known:
            continue
        color, description = _COLORS[place % len(_COLORS)], _DESCRIBED.get(name)
        rows.of(tables.Tag).append(
            (rows.workspace_id, identifier, moment, name, key, fold_case(name), kind.value, color, description),
        )
        fields = (("name", name), ("kind", kind.name), ("color", color), ("description", description))
        rows.made("Tag", identifier, moment, fields)
    return tuple(labels)
