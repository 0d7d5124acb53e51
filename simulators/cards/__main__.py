"""Lists the simulated cards: ``python -m simulators.cards [NAME | FILE.toml]...``."""

from __future__ import annotations

import argparse
import os
import sys

from simulators.cards import profile


def main() -> int:
    """Print a line a card: of all, or of those that are named, once they can be made."""
    about = "List the simulated cards, or check the ones named: profiles, or TOML files of your own."
    parser = argparse.ArgumentParser(prog="python -m simulators.cards", description=about)
    parser.add_argument("card", nargs="*", help="a profile's name, or a file: my.toml; all profiles without")
    named = parser.parse_args().card
    for name in named or profile.profiles():
        try:
            if named:
                profile.load(name)
            sys.stdout.write(f"{name:34} {profile.describe(name)}".rstrip() + "\n")
        except KeyError:
            near = ", ".join(profile.nearest(name))
            sys.stderr.write(f"there is no card {name}" + (f"; did you mean {near}?\n" if near else "\n"))
            return 2
        except profile.ProfileError as error:
            sys.stderr.write(f"{error}\n")
            return 1
    sys.stdout.flush()
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except BrokenPipeError:
        # Whoever reads has read enough, as head does; and nothing is left to be flushed at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
