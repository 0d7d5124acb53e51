"""What faults do to bytes: the same every time, at the byte that was named, and nothing to the others."""

from collections.abc import Sequence
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulators.readers.pn532_frames import ACK, answer
from simulators.wire_fault_bytes import Way
from simulators.wire_fault_script import Direction, Fault, What

FROM = Direction.FROM_DEVICE
DATA = bytes(range(60))


def carry(way: Way, data: bytes) -> tuple[bytes, list[Fault]]:
    """What comes out at the end, and the faults that struck."""
    pieces = list(way.carry(data))
    return b"".join(piece for piece in pieces if isinstance(piece, bytes)), [
        piece for piece in pieces if isinstance(piece, Fault)
    ]


def way(*faults: Fault, seed: int = 0) -> Way:
    return Way(FROM, faults, seed)


@given(st.integers(0, 60), st.lists(st.integers(0, 60), max_size=6))
def test_a_fault_strikes_between_two_bytes_however_they_are_cut(at: int, cuts: Sequence[int]) -> None:
    line = way(Fault(What.UNPLUG, at))
    before = b""
    edges = [0, *sorted(cuts), len(DATA)]
    for start, end in pairwise(edges):
        for piece in line.carry(DATA[start:end]):
            if isinstance(piece, Fault):
                assert before == DATA[:at]
                return
            before += piece
    raise AssertionError("it never struck")


@given(st.binary(max_size=200), st.lists(st.integers(0, 300), max_size=5))
def test_without_faults_everything_goes_through(data: bytes, elsewhere: Sequence[int]) -> None:
    line = way(*(Fault(What.TIME_OUT, at, Direction.TO_DEVICE) for at in elsewhere))
    assert carry(line, data) == (data, [])
    assert line.passed == len(data)


@pytest.mark.parametrize("at", range(0, 61, 4))
def test_a_time_out_swallows_the_rest(at: int) -> None:
    line = way(fault := Fault(What.TIME_OUT, at))
    assert carry(line, DATA) == (DATA[:at], [fault])
    assert carry(line, DATA) == (b"", [])
    assert line.cure() == b""
    assert carry(line, DATA) == (DATA, [])


@pytest.mark.parametrize("at", range(0, 61, 4))
def test_a_slow_start_delivers_late(at: int) -> None:
    line = way(Fault(What.SLOW_START, at))
    assert carry(line, DATA)[0] == DATA[:at]
    assert carry(line, b"more")[0] == b""
    assert line.cure() == DATA[at:] + b"more"
    assert carry(line, DATA)[0] == DATA


def test_what_was_held_back_for_a_connection_is_lost_with_it() -> None:
    line = way(Fault(What.SLOW_START))
    assert carry(line, DATA)[0] == b""
    line.lose_held()
    assert carry(line, b"new")[0] == b""
    assert line.cure() == b"new"


@given(st.integers(0, 59), st.integers(1, 20), st.integers(0, 99))
def test_noise_hits_its_bytes_alone_and_the_same_way_again(at: int, count: int, seed: int) -> None:
    fault = Fault(What.NOISE, at, noisy_bytes=count)
    line = way(fault, seed=seed)
    out = carry(line, DATA)[0]
    assert out == carry(way(fault, seed=seed), DATA)[0]
    assert carry(line, DATA)[0][count:].endswith(DATA[2 * count :])
    assert out != DATA
    assert out[:at] == DATA[:at]
    rest = DATA[at + count :]
    assert out.endswith(rest)
    assert at + len(rest) < len(out) <= len(DATA) + count
    assert carry(line, DATA)[0] == DATA


def test_noise_of_one_byte_is_one_flipped_bit_or_one_byte_more() -> None:
    lengths = set()
    for seed in range(20):
        out = carry(way(Fault(What.NOISE, 10), seed=seed), DATA)[0]
        lengths.add(len(out))
        if len(out) == len(DATA):
            assert (out[10] ^ DATA[10]).bit_count() == 1
            assert out[:10] + out[11:] == DATA[:10] + DATA[11:]
        else:
            assert out[:10] + out[11:] == DATA
    assert lengths == {60, 61}


def test_another_device_says_its_own_again_and_again() -> None:
    line = way(Fault(What.OTHER_DEVICE, 2, other=b"NMEA"))
    assert carry(line, b"0123456789")[0] == b"01NMEANMEA"
    assert carry(line, b"01")[0] == b"NM"
    line.cure()
    assert carry(line, b"01")[0] == b"01"


FRAMES = [answer(0x02, bytes.fromhex("32010607")), answer(0x00, bytes(262)), answer(0x4A, b"\x00")]


@pytest.mark.parametrize("at", range(0, 320, 7))
def test_a_wrong_checksum_is_the_next_frames_and_nothing_else(at: int) -> None:
    stream = b"".join(ACK + frame for frame in FRAMES)
    ends, end = [], 0
    for frame in FRAMES:
        end += len(ACK) + len(frame)
        ends.append(end - 2)
    out = carry(way(Fault(What.WRONG_CHECKSUM, at)), stream)[0]
    wrong = [place for place, (was, now) in enumerate(zip(stream, out, strict=True)) if was != now]
    assert wrong == [place for place in ends if place >= at][:1]


@given(st.binary(max_size=300))
def test_a_checksum_that_is_sought_in_anything_harms_one_byte_at_most(data: bytes) -> None:
    out = carry(way(Fault(What.WRONG_CHECKSUM)), data)[0]
    assert sum(was != now for was, now in zip(data, out, strict=True)) <= 1


def test_faults_strike_in_the_order_of_their_bytes() -> None:
    late, early = Fault(What.TIME_OUT, 20), Fault(What.OTHER_DEVICE, 5, other=b"x")
    assert carry(way(late, early), DATA) == (DATA[:5] + b"x" * 15, [early, late])
