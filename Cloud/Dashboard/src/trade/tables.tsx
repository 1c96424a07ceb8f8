// Positions, orders and fills; on a phone each row becomes a card, so every cell carries its column's name.
import { type ReactNode, useMemo } from "react";
import { clock, money, price, quantity, times } from "../numbers/format";
import { send } from "../state/live";
import { ACCOUNT_STALE_MS, mayClose } from "../state/select";
import { useStore } from "../state/store";
import { Age, Gain, SideBadge, useStalled } from "../ui/parts";
import { addressOf } from "../ui/route";
import { api } from "../wire/api";
import type { Fill, Instrument, Order, Position } from "../wire/types";

type Instruments = ReadonlyMap<string, Instrument>;

function useInstruments(): Instruments { return useStore((state) => state.data.instruments); }

function nameOf(instruments: Instruments, id: string): string { return instruments.get(id)?.localSymbol ?? id; }
function placesOf(instruments: Instruments, id: string): number { return instruments.get(id)?.priceDecimals ?? 2; }

function Table({ name, head, empty, children }: { readonly name: string; readonly head: readonly (readonly [name: string, kind?: "number"])[]; readonly empty: string; readonly children: readonly ReactNode[] }): JSX.Element | null {
  if (children.length === 0) return <p className="empty">{empty}</p>;
  return (
    <div className="table-scroll" tabIndex={0} role="group" aria-label={name}>
      <table>
        <thead><tr>{head.map(([name, kind]) => <th key={name} scope="col" className={kind === "number" ? "number" : ""}>{name}</th>)}</tr></thead>
        <tbody>{children}</tbody>
      </table>
    </div>
  );
}

/** One cell; `name` is shown on a phone, where the head is not. */
function Cell({ name, number = false, children }: { readonly name: string; readonly number?: boolean; readonly children: ReactNode }): JSX.Element | null {
  return <td data-name={name} className={number ? "number" : ""}>{children}</td>;
}

export function Positions({ onPick, onClose }: { readonly onPick: (instrument: string) => void; readonly onClose: (instrument: string) => void }): JSX.Element | null {
  const positions = useStore((state) => state.data.positions);
  const instruments = useInstruments();
  const rows = useMemo(() => [...positions.values()].filter((position) => position.side !== "FLAT"), [positions]);
  return (
    <Table
      name="Positions"
      head={[["Instrument"], ["Qty", "number"], ["Average", "number"], ["Mark", "number"], ["Unrealised", "number"], ["Realised", "number"], ["Leverage", "number"], ["Stop", "number"], ["Owner"], ["As of"], ["Close"]]}
      empty="No open position."
    >
      {rows.map((row) => <PositionRow key={row.id} row={row} instruments={instruments} onPick={onPick} onClose={onClose} />)}
    </Table>
  );
}

interface PositionRowProps { readonly row: Position; readonly instruments: Instruments; readonly onPick: (id: string) => void; readonly onClose: (id: string) => void }

function PositionRow({ row, instruments, onPick, onClose }: PositionRowProps): JSX.Element | null {
  const instrument = instruments.get(row.instrument);
  const places = placesOf(instruments, row.instrument);
  const may = useStore((state) => mayClose(state, row.instrument, state.data.accounts.get(row.account)?.edge).allowed);
  const stalled = useStalled();
  return (
    <tr data-position={row.instrument} data-stale={stalled}>
      <th scope="row"><button type="button" className="link" onClick={() => onPick(row.instrument)}>{nameOf(instruments, row.instrument)}</button><small>{instrument?.name}</small></th>
      <Cell name="Quantity" number><SideBadge side={row.side} /> {quantity(row.quantity)}</Cell>
      <Cell name="Average" number>{price(row.averagePrice, places)}</Cell>
      <Cell name="Mark" number>{price(row.markPrice, places)}</Cell>
      <Cell name="Unrealised" number><Gain value={row.unrealizedPnL} currency={row.currency} strong /></Cell>
      <Cell name="Realised" number><Gain value={row.realizedPnL} currency={row.currency} /></Cell>
      <Cell name="Leverage" number>{times(row.leverage)}</Cell>
      <Cell name="Stop" number>{row.stopPrice === undefined ? <span className="warn">none</span> : price(row.stopPrice, places)}</Cell>
      <Cell name="Owner">{row.owner}</Cell>
      <Cell name="As of"><Age asOf={row.asOf} staleMs={ACCOUNT_STALE_MS} /></Cell>
      <Cell name="Close"><button type="button" className="button small" disabled={!may} onClick={() => onClose(row.instrument)} aria-label={`Close ${nameOf(instruments, row.instrument)}`}>Close</button></Cell>
    </tr>
  );
}

const TYPES: Readonly<Record<Order["type"], string>> = { MARKET: "Market", LIMIT: "Limit", STOP: "Stop", STOP_LIMIT: "Stop limit", TRAILING_STOP: "Trailing stop" };

function statusWords(order: Order): string {
  const words = order.status.toLowerCase().replace(/_/g, " ");
  return order.status === "UNKNOWN" ? "unknown: asking the broker" : words;
}

/** Working orders first, then the newest. */
export function sorted(orders: Iterable<Order>): readonly Order[] {
  return [...orders].sort((a, b) => Number(b.working) - Number(a.working) || b.seq - a.seq);
}

export function Orders(): JSX.Element | null {
  const orders = useStore((state) => state.data.orders);
  const idle = useStore((state) => state.session?.user?.role === "viewer" || state.link.state !== "open");
  const instruments = useInstruments();
  const rows = useMemo(() => sorted(orders.values()), [orders]);
  return (
    <Table
      name="Orders"
      head={[["Time"], ["Instrument"], ["Order"], ["Qty", "number"], ["Filled", "number"], ["Price", "number"], ["Average", "number"], ["Status"], ["From"], ["Follow"], ["Cancel"]]}
      empty="No order today."
    >
      {rows.map((row) => <OrderRow key={row.id} row={row} instruments={instruments} idle={idle} />)}
    </Table>
  );
}

function trailOf(order: Order): string {
  if (order.trailingPercent !== undefined) return ` ${order.trailingPercent} %`;
  return order.trailingAmount === undefined ? "" : ` ${order.trailingAmount}`;
}

function OrderRow({ row, instruments, idle }: { readonly row: Order; readonly instruments: Instruments; readonly idle: boolean }): JSX.Element | null {
  const places = placesOf(instruments, row.instrument);
  const name = `${row.side === "BUY" ? "buy" : "sell"} ${quantity(row.quantity)} ${nameOf(instruments, row.instrument)}`;
  return (
    <tr data-order={row.id} data-working={row.working}>
      <Cell name="Time">{clock(row.createdAt)}</Cell>
      <th scope="row">{nameOf(instruments, row.instrument)}</th>
      <Cell name="Order"><SideBadge side={row.side} /> {TYPES[row.type]}{trailOf(row)}</Cell>
      <Cell name="Quantity" number>{quantity(row.quantity)}</Cell>
      <Cell name="Filled" number>{quantity(row.filled)}</Cell>
      <Cell name="Price" number>{price(row.limitPrice ?? row.stopPrice, places)}</Cell>
      <Cell name="Average" number>{price(row.averagePrice, places)}</Cell>
      <Cell name="Status"><span className="status" data-status={row.status} title={row.reason}>{statusWords(row)}</span>{row.reason === undefined ? null : <small className="why">{row.reason}</small>}</Cell>
      <Cell name="From">{row.bot ?? row.origin.toLowerCase()}</Cell>
      <Cell name="Follow"><a href={addressOf("ledger", row.id)} aria-label={`Follow in the ledger: ${name}`}>#{row.seq}</a></Cell>
      <Cell name="Cancel">
        {row.working
          ? <button type="button" className="button small" aria-label={`Cancel: ${name}`} disabled={idle || row.status === "PENDING_CANCEL"} onClick={() => void send(`Cancel ${name}`, (key) => api.cancel(row.id, key))}>Cancel</button>
          : null}
      </Cell>
    </tr>
  );
}

export function Fills(): JSX.Element | null {
  const fills = useStore((state) => state.data.fills);
  const instruments = useInstruments();
  const rows = useMemo(() => [...fills.values()].sort((a, b) => b.seq - a.seq), [fills]);
  return (
    <Table name="Fills" head={[["Time"], ["Instrument"], ["Qty", "number"], ["Price", "number"], ["Commission", "number"], ["Realised", "number"], ["From"], ["Follow"]]} empty="No fill today.">
      {rows.map((row) => <FillRow key={row.id} row={row} instruments={instruments} />)}
    </Table>
  );
}

function FillRow({ row, instruments }: { readonly row: Fill; readonly instruments: Instruments }): JSX.Element | null {
  return (
    <tr data-fill={row.id} data-corrected={row.correctedBy}>
      <Cell name="Time">{clock(row.time)}</Cell>
      <th scope="row">{nameOf(instruments, row.instrument)}</th>
      <Cell name="Quantity" number><SideBadge side={row.side} /> {quantity(row.quantity)}</Cell>
      <Cell name="Price" number>{price(row.price, placesOf(instruments, row.instrument))}</Cell>
      <Cell name="Commission" number>{money(row.commission, row.currency)}</Cell>
      <Cell name="Realised" number>{row.realizedPnL === undefined ? "–" : <Gain value={row.realizedPnL} currency={row.currency} />}</Cell>
      <Cell name="From">{row.bot ?? row.origin.toLowerCase()}{row.correctedBy === undefined ? null : ", corrected: counts no more"}</Cell>
      <Cell name="Follow">{row.order === undefined ? "–" : <a href={addressOf("ledger", row.order)} aria-label={`Follow in the ledger: fill ${row.id}`}>#{row.seq}</a>}</Cell>
    </tr>
  );
}
