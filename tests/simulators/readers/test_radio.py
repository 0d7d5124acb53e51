"""Cards in the air, by the frames of ISO/IEC 14443-3: who answers what, and when."""

import pytest

from simulators.cards import profile
from simulators.readers.field import Field
from simulators.readers.radio import HLTA, REQA, WUPA, Radio, Technology, TypeBCard

A, B = Technology.A, Technology.B
SDD = bytes.fromhex("9320")
REQB, WUPB = bytes.fromhex("050000"), bytes.fromhex("050008")
RATS = bytes.fromhex("E080")


def on(field: Field) -> Radio:
    radio = Radio(field)
    radio.switch(True)
    return radio


def select(radio: Radio) -> None:
    assert radio.send(REQA, A).data == b"\x04\x00"
    number = radio.send(SDD, A).data
    assert number
    assert radio.send(b"\x93\x70" + number, A).data == b"\x20"


def attach(radio: Radio, request: bytes = REQB, cid: int = 0) -> None:
    atqb = radio.send(request, B).data
    assert atqb
    assert len(atqb) == 12
    assert radio.send(b"\x1d" + atqb[1:5] + bytes([0, 8, 1, cid]), B).data == bytes([cid])


@pytest.fixture
def radio(field: Field) -> Radio:
    return on(field)


class TestTypeA:
    def test_is_silent_without_a_field(self, field: Field) -> None:
        field.place(profile.load("visa-approve"))
        assert Radio(field).send(REQA, A).data is None

    def test_is_selected_and_activated(self, radio: Radio, field: Field) -> None:
        card = profile.load("visa-approve")
        field.place(card)
        select(radio)
        assert radio.send(RATS, A).data == card.ats

    def test_a_selected_one_is_silent_once_for_a_request(self, radio: Radio, field: Field) -> None:
        field.place(profile.load("visa-approve"))
        select(radio)
        assert radio.send(REQA, A).data is None
        select(radio)

    def test_a_halted_one_hears_a_wake_up_alone(self, radio: Radio, field: Field) -> None:
        field.place(profile.load("visa-approve"))
        select(radio)
        assert radio.send(HLTA, A).data is None
        assert radio.send(REQA, A).data is None
        assert radio.send(WUPA, A).data == b"\x04\x00"
        assert radio.send(REQA, A).data is None, "from ready it falls back to where it came from"
        assert radio.send(REQA, A).data is None

    def test_one_that_speaks_blocks_hears_no_request_until_it_is_deselected(
        self, radio: Radio, field: Field
    ) -> None:
        field.place(profile.load("visa-approve"))
        select(radio)
        assert radio.send(RATS, A).data
        assert radio.send(REQA, A).data is None
        assert radio.send(REQB, B).data is None
        assert radio.send(b"\xc2", A).data == b"\xc2"
        assert radio.send(WUPA, A).data

    def test_the_other_type_takes_a_selected_one_back(self, radio: Radio, field: Field) -> None:
        field.place(profile.load("visa-approve"))
        select(radio)
        assert radio.send(REQB, B).data is None
        assert radio.send(RATS, A).data is None
        select(radio)

    def test_two_collide_where_their_numbers_differ(self, radio: Radio, field: Field) -> None:
        field.place(profile.load("visa-approve"))
        field.add(profile.load("visa-approve"))
        assert radio.send(REQA, A).data == b"\x04\x00"
        # 08A1B2C3 and 08A1B2C4: the fourth byte differs in its first bit.
        assert radio.send(SDD, A).collision == 24
        one = radio.send(bytes.fromhex("9351 08A1B2 01"), A).data
        assert one
        assert one[:4].hex() == "08a1b2c3"

    def test_each_stay_has_a_number_of_its_own(self, radio: Radio, field: Field) -> None:
        numbers = set()
        for _ in range(3):
            field.place(profile.load("visa-approve"))
            radio.send(REQA, A)
            numbers.add(radio.send(SDD, A).data)
        assert len(numbers) == 3


class TestTypeB:
    def test_is_attached_and_speaks_blocks(self, radio: Radio, field: Field) -> None:
        field.place(TypeBCard(profile.load("visa-approve")))
        attach(radio)
        assert radio.send(bytes.fromhex("0200A4040000"), B).data == bytes.fromhex("026A82")
        assert radio.send(REQB, B).data is None

    def test_with_an_identifier_it_hears_its_own_alone(self, radio: Radio, field: Field) -> None:
        field.place(TypeBCard(profile.load("visa-approve")))
        attach(radio, cid=1)
        assert radio.send(b"\xc2", B).data is None
        assert radio.send(b"\xca\x02", B).data is None
        assert radio.send(bytes.fromhex("0A01 00A4040000"), B).data == bytes.fromhex("0A01 6A82")
        assert radio.send(b"\xca\x01", B).data == b"\xca\x01"

    def test_a_halted_one_hears_a_wake_up_alone(self, radio: Radio, field: Field) -> None:
        field.place(TypeBCard(profile.load("visa-approve")))
        attach(radio)
        assert radio.send(b"\xc2", B).data == b"\xc2"
        assert radio.send(REQB, B).data is None
        attach(radio, WUPB)

    def test_two_collide_and_are_parted_by_slots(self, radio: Radio, field: Field) -> None:
        field.place(TypeBCard(profile.load("visa-approve")))
        field.add(TypeBCard(profile.load("visa-approve")))
        assert radio.send(REQB, B).collision is not None
        radio.send(bytes.fromhex("050002"), B)
        answers = {radio.send(bytes([slot << 4 | 5]), B).data for slot in (1, 2, 3)}
        assert len(answers - {None}) == 2

    def test_hears_nothing_of_type_a(self, radio: Radio, field: Field) -> None:
        field.place(TypeBCard(profile.load("visa-approve")))
        for frame in (REQA, WUPA, SDD):
            assert radio.send(frame, A).data is None

    def test_what_the_card_inside_is_shows_in_its_atr(self) -> None:
        card = TypeBCard(profile.load("visa-approve"), application_data=b"ABCD")
        assert card.ats == b""
        assert card.atr.hex().upper().startswith("3B8880014142434400817100")


@pytest.mark.parametrize("nonsense", [b"", b"\x00", b"\x93", b"\x05", b"\x1d" * 4, bytes(300)])
@pytest.mark.parametrize("technology", [A, B])
def test_nonsense_is_not_answered(field: Field, nonsense: bytes, technology: Technology) -> None:
    radio = on(field)
    field.place(profile.load("visa-approve"))
    field.add(TypeBCard(profile.load("visa-approve")))
    assert radio.send(nonsense, technology).data is None
    radio.send(REQA, A)
    assert radio.send(nonsense, technology).data is None
