"""Lists the simulated cards: ``python -m simulators.cards``."""

import sys

from simulators.cards import profile

for _name in profile.profiles():
    sys.stdout.write(f"{_name:34} {profile.describe(_name)}\n")
