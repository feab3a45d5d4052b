"""Vietnamese customers: family name, middle name, given name."""

from crm.seeding.locales.locale import Locale, parse_cities, phone_prefixes, split_lines, split_words

VIETNAMESE = Locale(
    country="VN",
    currency="VND",
    typical_price=650_000,
    price_step=10_000_000,
    families=split_words(
        "Nguyễn Nguyễn Nguyễn Trần Lê Phạm Hoàng Huỳnh Phan Vũ Võ Đặng Bùi Đỗ Hồ Ngô Dương Lý Đinh Đoàn Trịnh Mai Tô"
        " Lâm Đào Trương Hà Cao Lưu Châu"
    ),
    women=split_words(
        "Lan Hương Linh Hoa Trang Thảo Mai Ngọc Phương Hà Thu Hằng Nga Vân Yến Nhung Dung Hạnh Loan Tuyết Oanh Thủy"
        " Chi My Quỳnh Diệp Trâm Uyên Nhi Ngân Giang Hiền Liên Đào Bích Xuân Như Trúc"
    ),
    men=split_words(
        "Hùng Dũng Tuấn Minh Nam Long Sơn Hải Phong Thành Đức Quân Khoa Bình Tùng Cường Trung Hiếu Kiên Duy Bảo Khánh"
        " Phúc Thịnh Vinh Lâm Tài Đạt Huy Việt Toàn Quý Lộc Nghĩa Tân Hòa"
    ),
    women_middle=split_words("Thị Thị Ngọc Thu Thanh Minh Bích Kim Phương Hồng Thùy Mỹ Khánh Bảo Diệu Quỳnh"),
    men_middle=split_words("Văn Văn Hữu Đức Công Quang Minh Quốc Thanh Xuân Đình Gia Anh Hoàng Ngọc Tiến"),
    family_first=True,
    mononyms=0.0,
    women_nicknames=("chị {}", "cô {}", "bé {}", "{} xinh"),
    men_nicknames=("anh {}", "chú {}", "{} béo", "cu {}"),
    display_names=("{} Shop", "Mẹ bé {}", "{} Đà Nẵng", "Tiệm nhà {}", "{} Official"),
    mobiles=phone_prefixes(
        "+84",
        "90 91 98 97 96 86 93 94 70 76 77 78 79 81 82 83 84 85 88 32 33 34 35 36 37 38 39 56 58 59 92",
    ),
    mobile_length=12,
    landlines=phone_prefixes("+84", "283 243 287 247 2363 246 2253 2923 2583 2343 2743 2513"),
    landline_length=13,
    cities=parse_cities(
        """TP. Hồ Chí Minh | Hồ Chí Minh | 700000
        Hà Nội | Hà Nội | 100000
        Đà Nẵng | Đà Nẵng | 550000
        Hải Phòng | Hải Phòng | 180000
        Cần Thơ | Cần Thơ | 900000
        Biên Hòa | Đồng Nai | 810000
        Thủ Dầu Một | Bình Dương | 820000
        Nha Trang | Khánh Hòa | 650000
        Huế | Thừa Thiên Huế | 530000
        Vũng Tàu | Bà Rịa – Vũng Tàu | 790000
        Đà Lạt | Lâm Đồng | 670000
        Hội An | Quảng Nam | 560000
        Bắc Ninh | Bắc Ninh | 220000
        Vinh | Nghệ An | 460000
        Quy Nhơn | Bình Định | 590000
        Buôn Ma Thuột | Đắk Lắk | 630000
        Hạ Long | Quảng Ninh | 200000
        Thanh Hóa | Thanh Hóa | 440000"""
    ),
    streets=split_lines(
        """Nguyễn Huệ
        Lê Lợi
        Trần Hưng Đạo
        Hai Bà Trưng
        Lê Duẩn
        Nguyễn Văn Linh
        Điện Biên Phủ
        Cách Mạng Tháng Tám
        Lý Thường Kiệt
        Phan Chu Trinh
        Nguyễn Trãi
        Bạch Đằng
        Võ Nguyên Giáp
        Hoàng Diệu
        Ngô Quyền
        Quang Trung
        Phạm Văn Đồng
        Đinh Tiên Hoàng"""
    ),
    number_first=True,
    mail_domains=("thu.example.com", "hopthu.example.net", "example.com", "mail.example.org", "thudientu.example.com"),
    shops=("shopee", "lazada", "tiki", "kiotviet", "pos"),
    brands=split_words("Samsung Viettel FPT Vinamilk Vingroup Masan VNPT Vinfast Canon Petrolimex LG Intel Bosch"),
    company_patterns=("Công ty TNHH {}", "Công ty CP {}", "{} Group", "Tập đoàn {}"),
    trades=split_lines(
        """An Phát
        Hoàng Gia
        Minh Long
        Thành Công
        Đại Phát
        Hòa Bình
        Việt Tiến
        Phú Thịnh
        Trường Sơn
        Nam Long
        Đông Á
        Tân Tiến
        Kim Ngân
        Hải Đăng
        Bảo Tín
        Thiên Long
        Sao Mai
        Phương Nam
        Hưng Thịnh
        Đất Việt"""
    ),
    note_events=split_lines(
        """Đã gọi điện tư vấn
        Khách nhắn tin hỏi
        Đã gửi báo giá
        Gặp khách tại cửa hàng, trao đổi
        Khách gọi lại hỏi thêm
        Khách phản hồi tốt
        Không liên lạc được, định hỏi
        Đã gửi hợp đồng mẫu"""
    ),
    note_subjects=split_lines(
        """về gói bảo hành mở rộng
        về chương trình tri ân tháng này
        về đơn hàng giao trễ
        về giá sỉ cho đại lý
        về lịch lắp đặt tại nhà
        về mẫu mới màu đỏ
        về thẻ thành viên và điểm tích lũy
        về cách đổi trả hàng
        về thanh toán trả góp
        về mùi hương cho phòng khách"""
    ),
    note_next_steps=split_lines(
        """Hẹn gọi lại tuần sau.
        Khách sẽ quyết định cuối tháng.
        Ưu tiên liên hệ buổi sáng.
        Chỉ nhắn Zalo, không gọi.
        Cần gửi thêm hình ảnh.
        Đã xong, không cần làm gì thêm.
        Khách quen của chị chủ, chăm sóc kỹ.
        Chờ duyệt giá."""
    ),
)
