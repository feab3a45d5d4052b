"""Indonesian customers: one name, or several of which the last may be the family name."""

from crm.seeding.locales.locale import Locale, parse_cities, phone_prefixes, split_lines, split_words

INDONESIAN = Locale(
    country="ID",
    currency="IDR",
    typical_price=420_000,
    price_step=5_000_000,
    families=split_words(
        "Saputra Pratama Wijaya Kusuma Santoso Hidayat Nugroho Setiawan Siregar Nasution Harahap Simanjuntak Lubis"
        " Hutapea Gunawan Halim Tanjung Permana Wibowo Kurniawan Ramadhan Maulana Susanto Hartono Firmansyah Suryadi"
        " Mahendra Situmorang Sitorus Pangestu"
    ),
    women=split_words(
        "Siti Dewi Sri Putri Ayu Rina Wati Fitri Ratna Indah Lestari Nurul Maya Yuni Kartika Citra Rini Wulan Ningsih"
        " Anisa Intan Mega Puspita Rahmawati Sekar Kadek Nyoman Tiara Melati"
    ),
    men=split_words(
        "Muhammad Agus Budi Ahmad Andi Dedi Eko Hendra Joko Rizky Bayu Adi Dwi Fajar Yusuf Arif Bambang Wahyu Iwan"
        " Ketut Wayan Made Putu Teguh Slamet Gilang Dimas Ilham Reza"
    ),
    women_middle=(),
    men_middle=(),
    family_first=False,
    mononyms=0.12,
    women_nicknames=("Bu {}", "Mbak {}", "Kak {}", "{} manis"),
    men_nicknames=("Pak {}", "Mas {}", "Bang {}", "Kang {}"),
    display_names=("Toko {}", "{} Jaya", "Warung {}", "{} Collection", "Mama {}"),
    mobiles=phone_prefixes(
        "+62",
        "812 813 811 821 822 823 852 853 851 814 815 816 855 856 857 858 817 818 819 859 877 878 895 896 897 898 899"
        " 881 882 883 884 885 886 887 888 889",
    ),
    mobile_length=14,
    landlines=phone_prefixes("+62", "21 22 24 31 61 361 274 411"),
    landline_length=13,
    cities=parse_cities(
        """Jakarta Selatan | DKI Jakarta | 12190
        Jakarta Pusat | DKI Jakarta | 10110
        Surabaya | Jawa Timur | 60271
        Bandung | Jawa Barat | 40111
        Medan | Sumatera Utara | 20112
        Semarang | Jawa Tengah | 50134
        Makassar | Sulawesi Selatan | 90111
        Denpasar | Bali | 80231
        Yogyakarta | DI Yogyakarta | 55111
        Palembang | Sumatera Selatan | 30111
        Tangerang | Banten | 15111
        Bekasi | Jawa Barat | 17141
        Malang | Jawa Timur | 65111
        Balikpapan | Kalimantan Timur | 76111
        Padang | Sumatera Barat | 25111
        Manado | Sulawesi Utara | 95111"""
    ),
    streets=split_lines(
        """Jl. Jenderal Sudirman No.
        Jl. M.H. Thamrin No.
        Jl. Gatot Subroto No.
        Jl. Diponegoro No.
        Jl. Ahmad Yani No.
        Jl. Gajah Mada No.
        Jl. Pahlawan No.
        Jl. Merdeka No.
        Jl. Malioboro No.
        Jl. Asia Afrika No.
        Jl. Imam Bonjol No.
        Jl. Teuku Umar No.
        Jl. Hayam Wuruk No.
        Jl. Melati No.
        Jl. Raya Kuta No."""
    ),
    number_first=False,
    mail_domains=("surel.example.com", "example.org", "surat.example.net", "mail.example.com", "pos.example.org"),
    shops=("tokopedia", "shopee", "bukalapak", "lazada", "pos"),
    brands=split_words(
        "Indofood Astra Pertamina Telkomsel Gojek Garuda Unilever Samsung Mayora Danone Bukalapak Kalbe"
    ),
    company_patterns=("PT {}", "CV {}", "PT {} Tbk", "UD {}", "Koperasi {}"),
    trades=split_lines(
        """Maju Jaya
        Sumber Rejeki
        Karya Mandiri
        Sinar Abadi
        Mitra Sejahtera
        Bintang Timur
        Cahaya Nusantara
        Berkah Bersama
        Anugerah Utama
        Garuda Perkasa
        Samudera Raya
        Harapan Baru
        Surya Kencana
        Bumi Hijau
        Tirta Makmur
        Lima Saudara"""
    ),
    note_events=split_lines(
        """Sudah ditelepon
        Pelanggan mengirim pesan
        Penawaran sudah dikirim
        Bertemu di toko, bicara
        Pelanggan menelepon lagi
        Tidak diangkat, mau tanya
        Rapat lewat video
        Sudah dikunjungi"""
    ),
    note_subjects=split_lines(
        """tentang perpanjangan garansi
        tentang promo bulan ini
        tentang pengiriman yang terlambat
        tentang harga grosir
        tentang jadwal pemasangan di rumah
        tentang model baru warna merah
        tentang kartu anggota dan poin
        tentang retur barang
        tentang cicilan tanpa bunga
        tentang kemasan ukuran besar"""
    ),
    note_next_steps=split_lines(
        """Telepon lagi minggu depan.
        Akan memutuskan akhir bulan.
        Lebih suka dihubungi pagi hari.
        Hanya lewat WhatsApp.
        Perlu kirim foto tambahan.
        Selesai, tidak ada tindak lanjut.
        Pelanggan lama, tolong dijaga.
        Menunggu persetujuan harga."""
    ),
)
