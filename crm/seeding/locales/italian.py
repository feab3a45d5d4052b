"""Italian customers: given name, family name."""

from crm.seeding.locales.locale import Locale, parse_cities, phone_prefixes, split_lines, split_words

ITALIAN = Locale(
    country="IT",
    currency="EUR",
    typical_price=48,
    price_step=500,
    families=(
        *split_words(
            "Rossi Russo Ferrari Esposito Bianchi Romano Colombo Ricci Marino Greco Bruno Gallo Conti Costa Giordano"
            " Mancini Rizzo Lombardi Moretti Barbieri Fontana Santoro Mariani Rinaldi Caruso Ferrara Galli Martini"
            " Leone Longo Gentile Martinelli Vitale Lombardo Serra Coppola Marchetti Parisi Villa Conte Ferri Cantù"
        ),
        "De Luca",
        "D'Angelo",
        "De Santis",
        "Dell'Orto",
        "Lo Presti",
        "Dalla Costa",
    ),
    women=split_words(
        "Giulia Maria Anna Francesca Sara Laura Chiara Martina Elena Sofia Valentina Alessia Silvia Giorgia Federica"
        " Paola Roberta Elisa Aurora Beatrice Ilaria Monica Claudia Camilla Simona Daniela Lucia Noemi Cristina Zoë"
    ),
    men=split_words(
        "Marco Alessandro Giuseppe Luca Andrea Francesco Matteo Lorenzo Davide Stefano Simone Giovanni Antonio Roberto"
        " Paolo Riccardo Fabio Nicolò Tommaso Salvatore Vincenzo Daniele Emanuele Gabriele Mattia Pietro Enrico Giacomo"
    ),
    women_middle=(),
    men_middle=(),
    family_first=False,
    mononyms=0.0,
    women_nicknames=("{} cara", "la {}", "Signora {}", "{} del mercato"),
    men_nicknames=("il {}", "Signor {}", "Dott. {}", "{} del bar"),
    display_names=("{} 🌸", "Bottega di {}", "{} Milano", "Casa {}", "{} & figli"),
    mobiles=phone_prefixes(
        "+39",
        "347 333 338 320 328 329 348 349 339 335 340 345 346 327 331 334 336 337 342 350 351 360 366 368 370 371 373"
        " 375 377 380 388 389 391 392 393",
    ),
    mobile_length=13,
    landlines=phone_prefixes("+39", "02 06 011 051 055 081 041 010 091"),
    landline_length=13,
    cities=parse_cities(
        """Milano | Lombardia | 20121
        Roma | Lazio | 00184
        Torino | Piemonte | 10121
        Napoli | Campania | 80132
        Bologna | Emilia-Romagna | 40121
        Firenze | Toscana | 50122
        Genova | Liguria | 16121
        Palermo | Sicilia | 90133
        Bari | Puglia | 70121
        Venezia | Veneto | 30121
        Verona | Veneto | 37121
        Padova | Veneto | 35121
        Trieste | Friuli-Venezia Giulia | 34121
        Cagliari | Sardegna | 09124
        Forlì | Emilia-Romagna | 47121
        L'Aquila | Abruzzo | 67100
        Aosta | Valle d'Aosta | 11100
        Perugia | Umbria | 06121"""
    ),
    streets=split_lines(
        """Via Roma
        Via Garibaldi
        Via Dante
        Corso Italia
        Via Mazzini
        Piazza della Libertà
        Via Giuseppe Verdi
        Viale Europa
        Via Cavour
        Corso Vittorio Emanuele II
        Via San Francesco
        Via Leonardo da Vinci
        Largo Augusto
        Via Carducci
        Vicolo Stretto
        Via della Repubblica"""
    ),
    number_first=False,
    mail_domains=("posta.example.com", "mail.example.org", "example.net", "casella.example.net", "lettere.example.com"),
    shops=("shopify", "amazon", "woocommerce", "pos"),
    brands=split_words("Enel Barilla Luxottica Ferrero Pirelli Lavazza Samsung Prada Illy Eni Campari Brembo"),
    company_patterns=("{} S.r.l.", "{} & Figli S.n.c.", "{} S.p.A.", "Gruppo {}", "Officine {}"),
    trades=split_words(
        "Rossi Bianchi Moretti Lombardi Fontana Marchetti Villa Serra Aurora Adriatica Alpina Padana Tirrenia Etruria"
        " Vesuvio Ducale Lariana Ligure Sabina Arno"
    ),
    note_events=split_lines(
        """Chiamata di cortesia
        Il cliente ha scritto
        Inviato preventivo
        Incontro in negozio
        Richiamare: chiede informazioni
        Telefonata senza risposta, da sentire
        Riunione in videochiamata
        Ha lasciato un messaggio in segreteria"""
    ),
    note_subjects=split_lines(
        """per il rinnovo della garanzia
        per la consegna in ritardo
        per il listino rivenditori
        per l'installazione a domicilio
        per la nuova collezione rossa
        per la tessera fedeltà
        per un reso già autorizzato
        per il pagamento a rate
        per un'offerta su misura
        per la qualità del caffè"""
    ),
    note_next_steps=split_lines(
        """Risentirsi la settimana prossima.
        Decide entro fine mese.
        Preferisce la mattina, perché lavora di notte.
        Solo WhatsApp, niente chiamate.
        Mandare altre foto.
        Nient'altro da fare.
        Cliente storico: trattare con cura.
        In attesa di approvazione del prezzo."""
    ),
)
