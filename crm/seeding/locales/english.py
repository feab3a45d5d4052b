"""English customers: given name, family name."""

from crm.seeding.locales.locale import Locale, parse_cities, phone_prefixes, split_lines, split_words

ENGLISH = Locale(
    country="GB",
    currency="GBP",
    typical_price=42,
    price_step=100,
    families=split_words(
        "Smith Jones Taylor Brown Williams Wilson Johnson Davies Robinson Wright Thompson Evans Walker White Roberts"
        " Green Hall Wood Jackson Clarke Patel Khan Lewis James Phillips Mason Mitchell Rose Davis Rodgers Cooper Ward"
        " Turner Begum O'Brien O'Connor Smith-Jones Ali Hussain Brontë Okafor Murphy Kaur Bell Fox Hughes"
    ),
    women=split_words(
        "Olivia Emma Emily Charlotte Sophie Amelia Grace Chloe Jessica Lucy Hannah Katie Ella Sarah Rebecca Rachel"
        " Victoria Alice Eleanor Megan Zoe Imogen Harriet Priya Aisha Fatima Siân Chloë Margaret Joan"
    ),
    men=split_words(
        "Oliver Jack Harry George Thomas James William Daniel Joshua Samuel Joseph Benjamin Alexander Luke Adam Edward"
        " Ryan Callum Nathan Liam Owen Lewis Henry Arthur Rhys Mohammed Arjun Seán Peter Graham"
    ),
    women_middle=(),
    men_middle=(),
    family_first=False,
    mononyms=0.0,
    women_nicknames=("{} (mum)", "Auntie {}", "Mrs {}", "{} next door"),
    men_nicknames=("Big {}", "Mr {}", "Old {}", "{} (gym)"),
    display_names=("{} 🙂", "{}'s Kitchen", "Just {}", "{} @ work", "The {} Family"),
    mobiles=phone_prefixes(
        "+44",
        "7710 7920 7400 7500 7725 7738 7769 7786 7801 7812 7834 7850 7876 7890 7921 7956 7980 7429 7455 7537 7584 7599",
    ),
    mobile_length=13,
    landlines=phone_prefixes("+44", "203 207 208"),
    landline_length=13,
    cities=parse_cities(
        """London | Greater London | EC1A 1BB
        Manchester | Greater Manchester | M1 1AE
        Birmingham | West Midlands | B2 4QA
        Leeds | West Yorkshire | LS1 4DY
        Glasgow | Scotland | G1 1XQ
        Liverpool | Merseyside | L1 8JQ
        Bristol | South West England | BS1 4DJ
        Edinburgh | Scotland | EH1 1YZ
        Sheffield | South Yorkshire | S1 2HH
        Cardiff | Wales | CF10 1EP
        Newcastle upon Tyne | Tyne and Wear | NE1 4ST
        Belfast | Northern Ireland | BT1 5GS
        Brighton | East Sussex | BN1 1EE
        York | North Yorkshire | YO1 7HH
        Oxford | Oxfordshire | OX1 1DP
        Cambridge | Cambridgeshire | CB2 1TN"""
    ),
    streets=split_lines(
        """High Street
        Station Road
        Church Lane
        Victoria Road
        Park Avenue
        London Road
        Mill Lane
        Queen Street
        King's Road
        The Crescent
        Green Lane
        Albert Terrace
        St. John's Square
        Orchard Way
        Baker Street"""
    ),
    number_first=True,
    mail_domains=("mail.example.com", "example.com", "post.example.net", "inbox.example.org", "example.org"),
    shops=("shopify", "amazon", "ebay", "woocommerce", "pos"),
    brands=split_words(
        "Tesco Barclays Vodafone Unilever Samsung Rolls-Royce Dyson Boots Greggs Diageo Burberry Sainsbury's"
    ),
    company_patterns=("{} Ltd", "{} & Sons", "{} plc", "{} Partners LLP", "The {} Company"),
    trades=split_words(
        "Harper Ashford Fairfax Kingsway Redwood Thornbury Westgate Northfield Oakley Silverdale Brightwater Holloway"
        " Penrose Larkin Marlowe Winterbourne Caldwell Beacon Cobalt Foxglove"
    ),
    note_events=split_lines(
        """Called
        The customer wrote
        Sent a quote
        Met at the shop to talk
        Called back
        No answer, wanted to ask
        Video call
        Left a voicemail"""
    ),
    note_subjects=split_lines(
        """about the extended warranty
        about this month's offer
        about a late delivery
        about wholesale prices
        about installation at home
        about the new red model
        about the loyalty card
        about a return
        about paying in instalments
        about the menu at the café"""
    ),
    note_next_steps=split_lines(
        """Call again next week.
        Decides by the end of the month.
        Mornings are best.
        E-mail only, no calls.
        Needs more photographs.
        Nothing left to do.
        A regular for years: look after them well.
        Waiting for approval of the price."""
    ),
)
