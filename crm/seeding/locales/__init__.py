"""The four languages that made-up customers speak, and what names, numbers and addresses look like in each."""

from crm.seeding.locales.english import ENGLISH
from crm.seeding.locales.indonesian import INDONESIAN
from crm.seeding.locales.italian import ITALIAN
from crm.seeding.locales.locale import City, Locale
from crm.seeding.locales.vietnamese import VIETNAMESE

# Two customers of five are Vietnamese, one is English.
LOCALES: tuple[Locale, ...] = (VIETNAMESE, ITALIAN, INDONESIAN, ENGLISH)
WEIGHTED: tuple[Locale, ...] = (VIETNAMESE, VIETNAMESE, ITALIAN, INDONESIAN, ENGLISH)

__all__ = ["ENGLISH", "INDONESIAN", "ITALIAN", "LOCALES", "VIETNAMESE", "WEIGHTED", "City", "Locale"]
