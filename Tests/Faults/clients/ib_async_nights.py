"""Unmodified ib_async through the nights of `rig gateway`, which take their time: restarts, resets, a lost line to the broker."""

import trouble_steps
from harness import Checks


def main() -> None:
    checks = Checks("ib_async")
    for step in (trouble_steps.the_line_to_the_broker, trouble_steps.nights):
        checks.step(step)
    checks.finish()


if __name__ == "__main__":
    main()
