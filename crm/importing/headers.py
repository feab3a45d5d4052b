"""The meaning of headers: common names of the fields in four languages."""

import re
from collections.abc import Mapping, Sequence
from typing import Final

from crm.catalogue.file_columns import EXTERNAL_ID_PREFIX, FileColumn
from db.values.folding import fold

# English; Vietnamese; Italian; Indonesian. Written with accents, compared without them.
_FIELD_NAMES: Final[Mapping[str, str]] = {
    "name": "full name, customer name, customer, contact, contact name, client, client name, display name; "
    "họ và tên, họ tên, tên, tên khách hàng, khách hàng, tên đầy đủ; "
    "nome, nome completo, nominativo, nome e cognome, cliente, nome cliente; "
    "nama, nama lengkap, nama pelanggan, pelanggan, nama klien, nama kontak",
    "nickname": "nick, nick name, alias, short name; biệt danh, tên gọi, tên thường gọi; "
    "soprannome, nomignolo; nama panggilan, panggilan",
    "realName": "legal name, official name; tên thật, tên khai sinh; nome reale, nome legale; nama asli, nama resmi",
    "avatarUrl": "avatar, avatar url, picture, photo, image; ảnh, ảnh đại diện; foto, immagine; gambar, foto profil",
    "phone": "phone number, telephone, tel, mobile, mobile phone, mobile number, cell, cell phone, contact number; "
    "điện thoại, số điện thoại, số đt, sđt, di động, số di động, đt; "
    "telefono, cellulare, numero di telefono, numero telefono, recapito telefonico; "
    "telepon, nomor telepon, no telepon, hp, no hp, nomor hp, ponsel, handphone, no telp, whatsapp",
    "phones": "phone numbers, all phones, other phones; các số điện thoại; telefoni, numeri di telefono; "
    "semua telepon, daftar telepon",
    "email": "e mail, mail, email address, e mail address, mail address; thư điện tử, địa chỉ email, hòm thư; "
    "posta elettronica, indirizzo email, indirizzo e mail; surel, alamat email, pos el",
    "emails": "e mails, email addresses, all emails, other emails; các email; "
    "indirizzi email; semua email, daftar email",
    "gender": "sex; giới tính, phái; sesso, genere; jenis kelamin, kelamin",
    "birthDate": "birthday, date of birth, dob, born, birth date; ngày sinh, sinh nhật, ngày tháng năm sinh; "
    "data di nascita, nascita, compleanno, nato il; tanggal lahir, tgl lahir, ulang tahun",
    "value": "customer value, worth, amount, revenue, lifetime value, ltv, total spent; "
    "giá trị, doanh thu, giá trị khách hàng, tổng chi tiêu; valore, fatturato, importo, spesa totale; "
    "nilai, nilai pelanggan, pendapatan, total belanja",
    "source": "lead source, origin, customer source; nguồn, nguồn khách, nguồn khách hàng; "
    "fonte, origine, provenienza; sumber, asal, sumber pelanggan",
    "channel": "contact channel, preferred channel; kênh, kênh liên hệ; canale, canale preferito; saluran, kanal",
    "relationshipStatus": "relationship, relationship status, customer status, customer type, type; "
    "quan hệ, loại khách hàng, phân loại; relazione, tipo cliente, tipo di cliente; hubungan, jenis pelanggan",
    "subscriptionStatus": "subscription, subscription status, newsletter, mailing list, opt in; "
    "đăng ký nhận tin, trạng thái đăng ký, nhận bản tin; iscrizione, stato iscrizione; "
    "langganan, status langganan, buletin",
    "stage": "customer stage, status, lifecycle stage; giai đoạn, trạng thái; fase, stato; tahap, status pelanggan",
    "followUpStage": "follow up, follow up stage, pipeline stage; bước chăm sóc, giai đoạn chăm sóc; "
    "stato trattativa, seguito; tindak lanjut, tahap tindak lanjut",
    "resellerRelationship": "reseller, reseller relationship; quan hệ đại lý, đại lý; rivenditore; pengecer, reseller",
    "tags": "tag, label, labels, keywords, categories, category, groups; nhãn, thẻ, từ khóa, nhóm; "
    "etichette, etichetta, categorie, categoria; label, kata kunci, kategori, grup",
    "address.line1": "address, street, street address, address 1, address line 1, line 1; "
    "địa chỉ, số nhà, đường; indirizzo, via, indirizzo 1; alamat, jalan, alamat 1",
    "address.line2": "address 2, address line 2, line 2, apartment, suite; địa chỉ 2; indirizzo 2; alamat 2",
    "address.city": "city, town; thành phố, quận, huyện, quận huyện; città, comune, località; kota, kabupaten",
    "address.region": "region, state, province, county; tỉnh, tỉnh thành, vùng, bang; regione, provincia; "
    "provinsi, wilayah, daerah",
    "address.postalCode": "postal code, postcode, zip, zip code; mã bưu chính, mã bưu điện; "
    "cap, codice postale; kode pos",
    "address.country": "country, nation; quốc gia, nước; paese, nazione, stato estero; negara",
    "company": "company name, organization, organisation, employer, business, account; "
    "công ty, tên công ty, doanh nghiệp, tổ chức; azienda, società, ragione sociale, impresa; "
    "perusahaan, nama perusahaan, organisasi, kantor",
    "owner": "owner email, assigned to, assignee, agent, sales rep, salesperson, account manager, responsible; "
    "người phụ trách, phụ trách, nhân viên, nhân viên phụ trách; "
    "responsabile, assegnato a, agente, venditore; penanggung jawab, pemilik, petugas, ditugaskan kepada",
    "id": "customer id, clientela id; mã định danh; id cliente; id pelanggan",
}  # fmt: skip
_SEPARATORS: Final = re.compile(r"[\s_\-./:;,#*()\[\]]+")
_CAMEL_CASE_BOUNDARY: Final = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")


def _normalize_header(header: str) -> str:
    return _SEPARATORS.sub(" ", fold(header)).strip()


_KEYS_BY_NAME: Final = {
    _normalize_header(word): key
    for key, words in reversed(list(_FIELD_NAMES.items()))
    for word in (*re.split("[,;]", words), _CAMEL_CASE_BOUNDARY.sub(" ", key))
    if word.strip()
}


def suggest_field(headers: Sequence[str], known_columns: Mapping[str, FileColumn]) -> list[tuple[str | None, float]]:
    """For each header, the key of the suggested field and the confidence from 0 to 1. The key is None if no importable
    field matches. Every field is suggested at most once, for the header with the highest confidence."""
    suggestions = [_suggest(header, known_columns) for header in headers]
    best: dict[str, int] = {}
    for index, (key, confidence) in enumerate(suggestions):
        if key is not None and (key not in best or confidence > suggestions[best[key]][1]):
            best[key] = index
    return [
        suggestion if suggestion[0] is not None and best[suggestion[0]] == index else (None, 0.0)
        for index, suggestion in enumerate(suggestions)
    ]


def _suggest(header: str, known_columns: Mapping[str, FileColumn]) -> tuple[str | None, float]:
    column = known_columns.get(header)
    if column is not None:
        return (header, 1.0) if column.importable else (None, 0.0)
    if header.startswith(EXTERNAL_ID_PREFIX) and header != EXTERNAL_ID_PREFIX:
        return header, 1.0
    plain = _normalize_header(header)
    for names, confidence in (
        (_keys_by_name(known_columns), 0.95),
        (_keys_by_label(known_columns), 0.9),
        (_KEYS_BY_NAME, 0.9),
    ):
        if plain in names:
            return _if_importable(names[plain], known_columns, confidence)
    return _suggest_by_words(plain, known_columns)


def _suggest_by_words(plain: str, known_columns: Mapping[str, FileColumn]) -> tuple[str | None, float]:
    """Suggests a field for a header of several words of which some are known: “Primary phone number”, “Email (work)”.
    The longest match wins."""
    words = plain.split()
    for size in range(min(len(words) - 1, 4), 0, -1):
        for start in range(len(words) - size + 1):
            part = " ".join(words[start : start + size])
            if len(part) > 2 and part in _KEYS_BY_NAME:
                return _if_importable(_KEYS_BY_NAME[part], known_columns, round(0.4 + 0.4 * size / len(words), 2))
    return None, 0.0


def _if_importable(key: str, known_columns: Mapping[str, FileColumn], confidence: float) -> tuple[str | None, float]:
    column = known_columns.get(key)
    return (key, confidence) if column is not None and column.importable else (None, 0.0)


def _keys_by_name(known_columns: Mapping[str, FileColumn]) -> Mapping[str, str]:
    return {_normalize_header(_CAMEL_CASE_BOUNDARY.sub(" ", key)): key for key in known_columns} | {
        _normalize_header(key): key for key in known_columns
    }


def _keys_by_label(known_columns: Mapping[str, FileColumn]) -> Mapping[str, str]:
    return {_normalize_header(column.label): column.key for column in known_columns.values()}
