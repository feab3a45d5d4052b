"""Headers: what people call the fields, in four languages."""

import pytest

from crm.catalogue import fields
from crm.catalogue.file_columns import FileColumn
from crm.importing import headers

KNOWN = {one.key: FileColumn(one.key, one.label, one.exportable, one.importable) for one in fields.CUSTOMER_FIELDS}
KNOWN["custom.shoeSize"] = FileColumn("custom.shoeSize", "Cỡ giày", True, True)
KNOWN["externalId.erp"] = FileColumn("externalId.erp", "Id in erp", True, True)


@pytest.mark.parametrize(
    ("found", "fields"),
    [
        pytest.param("Full Name,E-mail,Phone number,Date of birth,Tags,City,Company,Gender",
                     "name,email,phone,birthDate,tags,address.city,company,gender", id="English"),
        pytest.param("Họ và tên,Email,SĐT,Ngày sinh,Nhãn,Thành phố,Công ty,Giới tính",
                     "name,email,phone,birthDate,tags,address.city,company,gender", id="Vietnamese"),
        pytest.param("HỌ TÊN,thư điện tử,Số điện thoại,NGAY SINH,the,Thanh pho,cong ty,gioi tinh",
                     "name,email,phone,birthDate,tags,address.city,company,gender", id="Vietnamese without accents"),
        pytest.param("Nome completo,Posta elettronica,Cellulare,Data di nascita,Etichette,Città,Azienda,Sesso",
                     "name,email,phone,birthDate,tags,address.city,company,gender", id="Italian"),
        pytest.param("Nama Lengkap,Surel,No. HP,Tanggal Lahir,Label,Kota,Perusahaan,Jenis Kelamin",
                     "name,email,phone,birthDate,tags,address.city,company,gender", id="Indonesian"),
        pytest.param("first_and_last,Primary phone number,Email (work),custom.shoeSize,Cỡ giày 2,shoe size,note",
                     ",phone,email,custom.shoeSize,,,", id="more words than one"),
        pytest.param("externalId.erp,externalId.new,address.postalCode,real_name",
                     "externalId.erp,externalId.new,address.postalCode,realName", id="keys"),
        pytest.param("createdAt,verification,department,_error", ",,,", id="what cannot be imported"),
        pytest.param("Phone,Mobile,name,Name", "phone,,name,", id="each field once, where it is surest"),
    ],
)  # fmt: skip
def test_what_headers_mean(found, fields):
    suggested = [key or "" for key, _ in headers.suggest_field(found.split(","), KNOWN)]
    assert suggested == fields.split(",")


def test_every_key_means_itself():
    importable = [key for key, one in KNOWN.items() if one.importable]
    assert headers.suggest_field(importable, KNOWN) == [(key, 1.0) for key in importable]


def test_a_label_means_its_field():
    labels = [one.label for one in KNOWN.values() if one.importable]
    assert [key for key, _ in headers.suggest_field(labels, KNOWN)] == [
        key for key, one in KNOWN.items() if one.importable
    ]
