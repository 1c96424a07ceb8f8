// The ticket: how much, with which stop, and three buttons that each lead to a confirm step.
import { useEffect, useState } from "react";
import { moneyOf, quantity, told } from "../numbers/format";
import { gateOf, mayClose, mayOpen, positionOf, quoteOf } from "../state/select";
import { useStore } from "../state/store";
import { Icon } from "../ui/icons";
import { Fact, Panel, useServerNow } from "../ui/parts";
import { api } from "../wire/api";
import type { Instrument, Preview } from "../wire/types";
import type { Asked } from "./OrderDialog";
import { marginOf, notionalOf, nudged, quantityOf, type Ticket, TRAILS, trouble } from "./ticketState";

/** Typing settles for this long before the cloud is asked for margin and max. */
const SETTLE_MS = 350;
/** Funds move with the market, and what they pay for moves with them. */
const REFRESH_MS = 10_000;

interface Props {
  readonly instrument: Instrument;
  readonly ticket: Ticket;
  readonly onChange: (ticket: Ticket) => void;
  readonly onAsk: (asked: Asked) => void;
}

/** Margin and max for the ticket as it stands; undefined while not known. The buttons do not wait for it: the confirm step asks anew. */
function usePreview(instrument: Instrument, ticket: Ticket): Preview | undefined {
  const [preview, setPreview] = useState<Preview>();
  const held = useStore((state) => positionOf(state.data, instrument.id)?.quantity);
  const open = useStore((state) => state.link.state === "open" && gateOf(state.data, instrument.id)?.opening === true);
  const asked = quantityOf(ticket);
  const wrong = trouble({ ...ticket, trailKind: "none" }, instrument) !== undefined;
  useEffect(() => {
    if (!open || wrong) return undefined;
    let gone = false;
    // Reverse, so that a position of the other side does not hide what opening would need.
    const ask = (): void => void api.preview({ instrument: instrument.id, side: "BUY", quantity: asked, reverse: true }).then(
      (answer) => { if (!gone) setPreview(answer); }, () => undefined,
    );
    const first = setTimeout(ask, SETTLE_MS);
    const again = setInterval(ask, REFRESH_MS);
    return () => {
      gone = true;
      clearTimeout(first);
      clearInterval(again);
    };
  }, [instrument.id, asked, held, open, wrong]);
  return open && preview?.instrument === instrument.id ? preview : undefined;
}

export function TicketPanel({ instrument, ticket, onChange, onAsk }: Props): JSX.Element | null {
  const preview = usePreview(instrument, ticket);
  const quote = useStore((state) => quoteOf(state.data, instrument.id));
  const count = ticket.max ? preview?.max.quantity : ticket.quantity.trim();
  const wrong = trouble(ticket, instrument);
  return (
    <Panel title="Order ticket" className="ticket">
      <QuantityField instrument={instrument} ticket={ticket} onChange={onChange} />
      <TrailField instrument={instrument} ticket={ticket} onChange={onChange} />
      <dl className="facts">
        <Fact name="Notional">{moneyOf(notionalOf(count, instrument, quote), instrument.currency)}</Fact>
        <Fact name="Margin needed, about">{moneyOf(marginOf(count, preview), instrument.currency)}</Fact>
      </dl>
      {wrong === undefined ? null : <p className="refusal" role="alert">{wrong}</p>}
      <TicketButtons instrument={instrument} ticket={ticket} onAsk={onAsk} />
      {/* Below the buttons, so that its coming never moves them under a finger. */}
      {preview === undefined ? null : <p className="note" data-testid="max">Max {quantity(preview.max.quantity)}: {preview.max.words}</p>}
    </Panel>
  );
}

function QuantityField({ instrument, ticket, onChange }: Omit<Props, "onAsk">): JSX.Element | null {
  return (
    <div className="field" role="group" aria-labelledby="quantity-label">
      <label id="quantity-label" htmlFor="quantity">{instrument.securityType === "STK" ? "Shares" : "Contracts"}</label>
      <div className="stepper">
        <button type="button" className="button square" aria-label="One less" onClick={() => onChange(nudged(ticket, instrument, false))}><Icon name="minus" /></button>
        <input
          id="quantity" inputMode="decimal" autoComplete="off" value={ticket.max ? "max" : ticket.quantity}
          onChange={(event) => {
            const typed = event.target.value;
            onChange(typed.trim().toLowerCase() === "max" ? { ...ticket, max: true } : { ...ticket, max: false, quantity: typed });
          }}
        />
        <button type="button" className="button square" aria-label="One more" onClick={() => onChange(nudged(ticket, instrument, true))}><Icon name="plus" /></button>
        <button type="button" className="button" aria-pressed={ticket.max} onClick={() => onChange({ ...ticket, max: !ticket.max })}>Max</button>
      </div>
    </div>
  );
}

/** The select's value for a ticket: a ready percentage, or what else is typed. */
function choiceOf(ticket: Ticket): string {
  if (ticket.trailKind !== "percent") return ticket.trailKind;
  return TRAILS.some((trail) => trail === ticket.trail) ? ticket.trail : "percent";
}

function chosen(ticket: Ticket, choice: string): Ticket {
  if (choice === "none") return { ...ticket, trailKind: "none", trail: "" };
  if (choice === "percent" || choice === "amount") return { ...ticket, trailKind: choice, trail: "" };
  return { ...ticket, trailKind: "percent", trail: choice };
}

function TrailField({ instrument, ticket, onChange }: Omit<Props, "onAsk">): JSX.Element | null {
  const [typing, setTyping] = useState(false);
  const choice = typing && ticket.trailKind === "percent" ? "percent" : choiceOf(ticket);
  return (
    <div className="field">
      <label htmlFor="trail">Trailing stop, resting at the broker</label>
      <select
        id="trail" value={choice}
        onChange={(event) => {
          setTyping(event.target.value === "percent");
          onChange(chosen(ticket, event.target.value));
        }}
      >
        <option value="none">None</option>
        {TRAILS.map((trail) => <option key={trail} value={trail}>{trail} %</option>)}
        <option value="percent">Another percentage…</option>
        <option value="amount">A distance in price…</option>
      </select>
      {choice === "percent" || choice === "amount" ? (
        <input
          aria-label={choice === "percent" ? "Trailing stop in percent" : `Trailing stop distance in ${instrument.currency}`} inputMode="decimal" autoComplete="off"
          placeholder={choice === "percent" ? "%" : instrument.currency} value={ticket.trail} onChange={(event) => onChange({ ...ticket, trail: event.target.value })}
        />
      ) : null}
    </div>
  );
}

/** Long, Short and Close: in the ticket, and once more as the strip that a phone keeps in reach. */
export function TicketButtons({ instrument, ticket, onAsk, strip = false }: Omit<Props, "onChange"> & { readonly strip?: boolean }): JSX.Element | null {
  const state = useStore((all) => all);
  const serverNow = useServerNow();
  const open = mayOpen(state, instrument.id, serverNow);
  const close = mayClose(state, instrument.id);
  const position = positionOf(state.data, instrument.id);
  const wrong = trouble(ticket, instrument) !== undefined;
  const count = ticket.max ? "max" : ticket.quantity.trim();
  return (
    <div className={strip ? "ticket-buttons strip" : "ticket-buttons"} role="group" aria-label={strip ? `Trade ${instrument.localSymbol}` : "Trade"}>
      <button type="button" className="button long" disabled={!open.allowed || wrong} onClick={() => onAsk({ side: "BUY" })}><Icon name="up" />Long{strip ? ` ${count}` : ""}</button>
      <button type="button" className="button short" disabled={!open.allowed || wrong} onClick={() => onAsk({ side: "SELL" })}><Icon name="down" />Short{strip ? ` ${count}` : ""}</button>
      <button type="button" className="button flatten" disabled={!close.allowed || position === undefined} onClick={() => onAsk({ side: "CLOSE" })}>
        <Icon name="close" />Close{position === undefined ? "" : ` ${quantity(position.quantity)}`}
      </button>
      {strip || open.allowed ? null : <p className="note" data-testid="why-not">{told(open.reason, open.cure)}</p>}
      {strip || close.allowed || close.reason === open.reason ? null : <p className="note">{told(close.reason, close.cure)}</p>}
    </div>
  );
}
