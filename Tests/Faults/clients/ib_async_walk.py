"""Unmodified ib_async walks through `rig gateway` on a good day: everything the house's own edge relies on, seen by somebody else's code."""

import data_steps
import death_steps
import order_steps
import research_steps
from harness import Checks, Gateway


def main() -> None:
    checks = Checks("ib_async")
    with Gateway("--seed", "7", data=True) as gateway:
        for step in (
            data_steps.a_quiet_client, data_steps.handshake, data_steps.contracts, data_steps.quotes, data_steps.account,
            order_steps.limit_order_is_placed_changed_and_cancelled, order_steps.market_orders_fill_a_future_and_a_stock,
            order_steps.what_if_tells_the_margin, order_steps.twenty_five_contracts_fill_in_parts, order_steps.stops_wait_and_trail,
            order_steps.a_bracket_protects_and_cancels_its_other_side, order_steps.what_happened_is_told_again,
            order_steps.refusals_have_their_codes, order_steps.a_global_cancel_ends_all,
            death_steps.orders_are_there_after_a_reconnect, death_steps.a_client_id_is_used_once, death_steps.everything_outlives_a_kill,
            death_steps.what_was_acknowledged_is_there_after_a_kill_in_the_middle, death_steps.a_polite_end_is_quick, data_steps.bars,
            research_steps.single_ticks, research_steps.depth, research_steps.options, research_steps.other_classes, research_steps.no_silence,
        ):
            checks.step(step, gateway)
    checks.finish()


if __name__ == "__main__":
    main()
