"""`make bench`: every figure stands beside its yardstick, measured in the same run.

Times on a shared machine differ from run to run; the ratios say more.
"""

from tests.benchmarks import (
    camera_age,
    card_commands,
    enqueue,
    kernel_time,
    oda_chain,
    plugging,
    pn532_commands,
    start_up,
    tlv_decode,
)

if __name__ == "__main__":
    for benchmark in (
        *(tlv_decode, oda_chain, kernel_time, card_commands, pn532_commands),
        *(plugging, camera_age, enqueue, start_up),
    ):
        benchmark.run()
        print()
