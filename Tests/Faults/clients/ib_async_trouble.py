"""Unmodified ib_async at gateways with faults: what is denied, late, double or out of order, each step at a gateway of its own."""

import death_steps
import fault_steps
import trouble_steps
from harness import Checks


def main() -> None:
    checks = Checks("ib_async")
    for step in (
        fault_steps.wedge, fault_steps.client_id_in_use, fault_steps.live_account, fault_steps.no_market_data, fault_steps.no_permission,
        fault_steps.read_only, fault_steps.recorded_bars, fault_steps.real_hours, death_steps.a_full_disk_ends_the_gateway_before_it_can_lie,
        fault_steps.the_oldest_protocol, trouble_steps.disorder, trouble_steps.a_fill_behind_a_cancel, trouble_steps.commissions_that_say_nothing,
        trouble_steps.a_corrected_execution, trouble_steps.numbers_at_the_edge, trouble_steps.lists_without_an_end,
        trouble_steps.others_at_the_gateway, trouble_steps.orders_with_blocks,
    ):
        checks.step(step)
    checks.finish()


if __name__ == "__main__":
    main()
