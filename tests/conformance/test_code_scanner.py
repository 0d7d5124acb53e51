"""What every code scanner must do, whatever it looks with and whatever wire it is on."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from threading import Event
from typing import TypeVar

import pytest

from drivers.abilities import ShowsPicture
from drivers.errors import DeviceError, DeviceUnavailableError
from drivers.protocols import Code, CodeScanner
from tests.conformance.scanner_bench import PERSON_S, SIMULATED, ScannerBench, bench_at

PAY_CODE = "281234567890123456"
READ_S = 12.0

T = TypeVar("T")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "bench" in metafunc.fixturenames:
        metafunc.parametrize("bench", metafunc.config.getoption("--scanner") or SIMULATED, indirect=True)


@pytest.fixture
def bench(request: pytest.FixtureRequest, capsys: pytest.CaptureFixture[str]) -> Iterator[ScannerBench]:
    with bench_at(request.param, capsys) as bench:
        if bench.by_hand:
            request.applymarker(pytest.mark.hardware)
        yield bench


@pytest.fixture
def scanner(bench: ScannerBench) -> Iterator[CodeScanner]:
    with bench.open() as scanner:
        yield scanner


@pytest.fixture
def simulated(bench: ScannerBench) -> ScannerBench:
    if bench.by_hand:
        pytest.skip("needs a simulated scanner")
    return bench


def while_waiting(wait: Callable[[], T], then: Callable[[], object]) -> T:
    """Run `wait` on a thread, do `then` here, and return what `wait` returned."""
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(wait)
        then()
        return waiting.result()


def read(scanner: CodeScanner, bench: ScannerBench, text: str) -> Code:
    with bench.showing(text):
        code = scanner.next_code(Event(), timeout_s=PERSON_S if bench.by_hand else READ_S)
    assert code is not None
    return code


class TestDevice:
    def test_says_what_it_is(self, scanner: CodeScanner, bench: ScannerBench) -> None:
        assert scanner.info().name
        assert scanner.address == bench.address

    def test_closes_twice_and_can_be_opened_again(self, scanner: CodeScanner, bench: ScannerBench) -> None:
        scanner.close()
        scanner.close()
        with pytest.raises(DeviceUnavailableError) as caught:
            scanner.info()
        assert caught.value.hint
        with bench.open() as again:
            assert again.info().name

    def test_a_wait_ends_when_another_thread_closes(self, scanner: CodeScanner) -> None:
        def wait() -> None:
            with pytest.raises(DeviceError):
                scanner.next_code(Event(), timeout_s=60.0)

        while_waiting(wait, scanner.close)


class TestNextCode:
    def test_gives_up_when_time_is_up(self, scanner: CodeScanner) -> None:
        assert scanner.next_code(Event(), timeout_s=0.0) is None
        assert scanner.next_code(Event(), timeout_s=0.3) is None

    def test_stops_before_it_begins(self, scanner: CodeScanner) -> None:
        stop = Event()
        stop.set()
        assert scanner.next_code(stop, timeout_s=60.0) is None

    def test_stops_while_it_waits(self, scanner: CodeScanner) -> None:
        stop = Event()
        assert while_waiting(lambda: scanner.next_code(stop, timeout_s=60.0), stop.set) is None

    @pytest.mark.timeout(2 * PERSON_S)
    def test_reads_a_code(self, scanner: CodeScanner, bench: ScannerBench) -> None:
        code = read(scanner, bench, PAY_CODE)
        assert code.text == PAY_CODE
        assert PAY_CODE not in repr(code)
        assert 0 <= code.decode_ms <= code.age_ms or code.age_ms == 0

    def test_reads_one_code_after_the_other_and_never_an_old_one(
        self, scanner: CodeScanner, simulated: ScannerBench
    ) -> None:
        for number in range(4):
            assert read(scanner, simulated, f"customer {number}").text == f"customer {number}"

    def test_a_code_that_stays_is_read_once_for_each_call(
        self, scanner: CodeScanner, simulated: ScannerBench
    ) -> None:
        with simulated.showing(PAY_CODE):
            codes = [scanner.next_code(Event(), timeout_s=READ_S) for _ in range(3)]
        assert [code.text for code in codes if code] == [PAY_CODE] * 3

    @pytest.mark.parametrize("text", ["1", "https://qr.alipay.com/bax1?a=b&c=(d)", "~ !#[]{}|^", "x" * 120])
    def test_reads_every_character_of_ascii_and_long_texts(
        self, scanner: CodeScanner, simulated: ScannerBench, text: str
    ) -> None:
        assert read(scanner, simulated, text).text == text

    def test_reads_chinese(self, scanner: CodeScanner, simulated: ScannerBench) -> None:
        if simulated.ascii_only:
            pytest.skip("this scanner says ASCII alone")
        assert read(scanner, simulated, "收款码 8.80元").text == "收款码 8.80元"


class TestPicture:
    def test_shows_what_it_sees_and_still_reads(self, scanner: CodeScanner, bench: ScannerBench) -> None:
        if not isinstance(scanner, ShowsPicture):
            pytest.skip("this scanner has no picture")
        with bench.showing(PAY_CODE):
            picture = scanner.picture(64, 48)
            assert picture is not None
            assert 1 <= picture.width <= 64
            assert 1 <= picture.height <= 48
            assert len(picture.rgb) == 3 * picture.width * picture.height
            assert scanner.next_code(Event(), timeout_s=READ_S) is not None or bench.by_hand
