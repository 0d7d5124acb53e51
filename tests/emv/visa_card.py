"""Answers of a made-up Visa-like card, for scripts."""

from emv import tlv

NUMBER = "4761739001010119"
TRACK = f"{NUMBER}D27122011234567F"
AID = "A0000000031010"
PPSE = "00A404000E325041592E5359532E444446303100"
SELECT = f"00A4040007{AID}00"
PDOL = "9F66049F02069F03069F1A0295055F2A029A039C019F3704"
TTQ = "22804000"
GPO = f"80A8000023 8321 {TTQ} 000000001250 000000000000 0276 0000000000 0978 260509 00 01020304 00"


def one(tag: str, *values: str) -> str:
    """Return a data object in hex."""
    return tlv.encode_one(int(tag, 16), bytes.fromhex("".join(values).replace(" ", ""))).hex().upper()


def directory(*entries: str) -> str:
    """Return a PPSE answer with application templates of these contents."""
    inside = "".join(one("61", entry) for entry in entries)
    return one("6F", one("84", b"2PAY.SYS.DDF01".hex()), one("A5", one("BF0C", inside))) + "9000"


ENTRY = one("4F", AID) + one("50", b"VISA".hex()) + one("87", "01")
DIRECTORY = directory(ENTRY)


def fci(*more: str, pdol: str = PDOL) -> str:
    """Return the application's answer to SELECT."""
    return one("6F", one("84", AID), one("A5", one("50", b"VISA".hex()), one("9F38", pdol), *more)) + "9000"


FCI = fci()


def options(**changed: str | None) -> str:
    """Return an answer to GET PROCESSING OPTIONS: an online request, changed tag by tag (t9F6C="...")."""
    values: dict[str, str | None] = {
        "82": "0000",
        "57": TRACK,
        "5F34": "01",
        "9F10": "06011203A00000",
        "9F26": "1122334455667788",
        "9F27": "80",
        "9F36": "004F",
        "9F6C": "0000",
    }
    values |= {tag[1:]: value for tag, value in changed.items()}
    return one("77", *(one(tag, value) for tag, value in values.items() if value is not None)) + "9000"


def record(*objects: str) -> str:
    """Return an answer to READ RECORD."""
    return one("70", *objects) + "9000"


def start(answer: str | None = None, *, selected: str = FCI) -> list[tuple[str, str | None]]:
    """Return the lines up to GET PROCESSING OPTIONS and its answer."""
    return [(PPSE, DIRECTORY), (SELECT, selected), (GPO, answer or options())]
