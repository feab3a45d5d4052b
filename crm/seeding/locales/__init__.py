"""The four languages of generated customers, with their names, phone numbers and addresses."""

from crm.seeding.locales.english import ENGLISH
from crm.seeding.locales.indonesian import INDONESIAN
from crm.seeding.locales.italian import ITALIAN
from crm.seeding.locales.locale import City, Locale
from crm.seeding.locales.vietnamese import VIETNAMESE

# Two of five customers are Vietnamese; one each is Italian, Indonesian and English.
LOCALES: tuple[Locale, ...] = (VIETNAMESE, ITALIAN, INDONESIAN, ENGLISH)
WEIGHTED: tuple[Locale, ...] = (VIETNAMESE, VIETNAMESE, ITALIAN, INDONESIAN, ENGLISH)

__all__ = ["ENGLISH", "INDONESIAN", "ITALIAN", "LOCALES", "VIETNAMESE", "WEIGHTED", "City", "Locale"]
