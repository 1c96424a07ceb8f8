// The position in the instrument shown: what it is worth, how far it leans, where its stop rests.
import { money, price, quantity, times } from "../numbers/format";
import { ACCOUNT_STALE_MS, positionOf } from "../state/select";
import { useStore } from "../state/store";
import { Age, Gain, SideBadge, useStalled } from "../ui/parts";
import type { Instrument } from "../wire/types";

export function PositionBar({ instrument }: { readonly instrument: Instrument }): JSX.Element | null {
  const position = useStore((state) => positionOf(state.data, instrument.id));
  const stalled = useStalled();
  if (position === undefined) {
    return <section className="panel position-bar" aria-label="Position"><p className="flat">Flat in {instrument.localSymbol}: no position, no exposure.</p></section>;
  }
  const places = instrument.priceDecimals;
  return (
    <section className="panel position-bar" aria-label="Position">
      <dl data-stale={stalled}>
        <div><dt>Position</dt><dd><SideBadge side={position.side} /> {quantity(position.quantity)} @ {price(position.averagePrice, places)}</dd></div>
        <div><dt>Unrealised</dt><dd><Gain value={position.unrealizedPnL} currency={position.currency} strong /></dd></div>
        <div><dt>Realised today</dt><dd><Gain value={position.realizedPnL} currency={position.currency} /></dd></div>
        <div><dt>Notional</dt><dd>{money(position.notional, position.currency)}</dd></div>
        <div><dt>Effective leverage</dt><dd>{times(position.leverage)}</dd></div>
        <div><dt>Stop</dt><dd>{position.stopPrice === undefined ? <span className="warn">none</span> : price(position.stopPrice, places)}</dd></div>
        <div><dt>As of</dt><dd><Age asOf={position.asOf} staleMs={ACCOUNT_STALE_MS} /></dd></div>
      </dl>
    </section>
  );
}
