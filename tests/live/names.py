"""Names of files that bite somewhere between a client's screen and the disk."""

import unicodedata

#: What each name bites, and the name. Spelled NFC, as the server keeps names.
ODD_NAMES = {
    "semicolon": "a;b;type=1.txt",  # urlparse takes everything after it for parameters
    "question mark": "what? now.txt",  # …for a query
    "hash": "plan #1.pdf",  # …for a fragment
    "percent": "100%.txt",
    "looks encoded": "50%25 off%2Fnow%3F.txt",
    "plus": "c++ and+more.txt",
    "ampersand": "salt & <pepper>.txt",  # XML
    "spaces": "two  spaces.txt",
    "quotes": 'it\'s "quoted".txt',
    "brackets": "a[1]{2}(3)*.txt",  # globs
    "separators": "10:30=a,b@c!$HOME.txt",
    "leading dash": "-rf.txt",  # an option on a command line
    "dots": ".hidden..twice.txt",
    "like git": ".gitignore",
    "accents": "Größe déjà vu.txt",
    "cjk": "日本語 資料.txt",
    "right to left": "ملف جديد.txt",
    "emoji": "🏖️ summer 👩‍👩‍👧.jpg",
    "long": "ü" * 120 + ".txt",  # 244 bytes of the 255
}

assert all(unicodedata.is_normalized("NFC", name) for name in ODD_NAMES.values())
