// The confirm step: every figure that counts, by the cloud's own reckoning, before one command is sent.
import { useEffect, useRef, useState } from "react";
import { money, price, quantity, times, told } from "../numbers/format";
import { send } from "../state/live";
import { Dialog } from "../ui/Dialog";
import { Age, Fact, ModeBadge } from "../ui/parts";
import { api, newKey, Refused } from "../wire/api";
import type { Instrument, Preview, PreviewRequest, Side } from "../wire/types";
import { actionWords, orderOf, quantityOf, type Ticket, trailOf } from "./ticketState";

/** Figures older than this are asked for again while the dialog is open. */
const REFRESH_MS = 5_000;
const MARGIN_STALE_MS = 600_000;
/** The broker tells the account's figures every three minutes; the edge asks for them after five. */
const FUNDS_STALE_MS = 360_000;

export type Asked = { readonly side: Side } | { readonly side: "CLOSE" };

interface Props { readonly instrument: Instrument; readonly asked: Asked; readonly ticket: Ticket; readonly onClose: () => void }

type Figures = { readonly preview: Preview } | { readonly trouble: string } | undefined;

function troubleOf(error: unknown): string {
  if (!(error instanceof Refused)) return "The cloud node did not answer; no figures, so nothing can be confirmed. Asking again…";
  const { title, detail, cure } = error.problem;
  return told(title, detail, cure);
}

function requestOf(instrument: Instrument, asked: Asked, ticket: Ticket, reverse: boolean): PreviewRequest {
  if (asked.side === "CLOSE") return { instrument: instrument.id, side: "CLOSE" };
  const trail = trailOf(ticket);
  return {
    instrument: instrument.id, side: asked.side, quantity: quantityOf(ticket), ...(trail === undefined ? {} : { trailingStop: trail }), ...(reverse ? { reverse } : {}),
  };
}

export function OrderDialog({ instrument, asked, ticket, onClose }: Props): JSX.Element | null {
  const [reverse, setReverse] = useState(false);
  const [figures, setFigures] = useState<Figures>();
  // One key for the life of the dialog: however often Enter is pressed, it is one command.
  const key = useRef(newKey());
  const sent = useRef(false);

  useEffect(() => {
    let gone = false;
    const ask = (): void => {
      api.preview(requestOf(instrument, asked, ticket, reverse)).then(
        (preview) => { if (!gone) setFigures({ preview }); },
        (error: unknown) => { if (!gone) setFigures({ trouble: troubleOf(error) }); },
      );
    };
    setFigures(undefined);
    ask();
    const timer = setInterval(ask, REFRESH_MS);
    return () => {
      gone = true;
      clearInterval(timer);
    };
  }, [instrument, asked, ticket, reverse]);

  const preview = figures !== undefined && "preview" in figures ? figures.preview : undefined;
  const words = preview === undefined ? undefined : actionWords(preview, instrument.localSymbol);

  const confirm = (): void => {
    if (sent.current || preview === undefined || words === undefined || !preview.allowed) return;
    sent.current = true;
    if (asked.side === "CLOSE") void send(words, (id) => api.close(instrument.id, preview.quantity, preview.position, id), key.current);
    else void send(words, (id) => api.order(orderOf(ticket, asked.side === "BUY" ? "BUY" : "SELL", preview, reverse), id), key.current);
    onClose();
  };

  const canReverse = preview !== undefined && asked.side !== "CLOSE" && preview.closing !== "0" && preview.opening === "0" && !reverse;
  return (
    <Dialog
      title={<>{words ?? `${asked.side === "CLOSE" ? "Close" : asked.side === "BUY" ? "Long" : "Short"} ${instrument.localSymbol}`}? {preview === undefined ? null : <ModeBadge mode={preview.mode} />}</>}
      onClose={onClose}
      actions={<>
        {canReverse ? <button type="button" className="button" onClick={() => setReverse(true)}>Open the other side too…</button> : null}
        <button type="button" className={`button ${preview?.side === "SELL" ? "short" : "long"}`} disabled={preview === undefined || !preview.allowed} onClick={confirm} data-testid="confirm">
          {words ?? "Waiting for figures…"}
        </button>
      </>}
    >
      {preview === undefined ? null : <Reckoning preview={preview} instrument={instrument} ticket={ticket} />}
      {figures === undefined ? <p role="status">Asking for the figures…</p> : null}
      {figures !== undefined && "trouble" in figures ? <p className="refusal" role="alert">{figures.trouble}</p> : null}
      {preview !== undefined && !preview.allowed ? <p className="refusal" role="alert">{told(preview.reason, preview.cure)}</p> : null}
      {preview?.warnings.map((warning) => <p key={warning} className="note">{warning}</p>)}
      {preview?.mode === "LIVE" ? <p className="refusal">This is an order with real money.</p> : null}
    </Dialog>
  );
}

function Reckoning({ preview, instrument, ticket }: { readonly preview: Preview; readonly instrument: Instrument; readonly ticket: Ticket }): JSX.Element | null {
  const { currency } = preview;
  // Funds and margins are told in the account's own currency.
  const funded = preview.accountCurrency ?? currency;
  const places = instrument.priceDecimals;
  const isMax = ticket.max && preview.opening !== "0";
  return (
    <dl className="facts reckoning">
      <Fact name="Quantity" strong>{quantity(preview.quantity)}{preview.closing !== "0" && preview.opening !== "0" ? ` (${preview.closing} to close, ${preview.opening} to open)` : ""}</Fact>
      <Fact name="Market order, near">{price(preview.price, places)}{preview.pricePart === undefined ? null : ` (${preview.pricePart})`}{preview.priceAsOf === undefined ? null : <> <Age asOf={preview.priceAsOf} staleMs={REFRESH_MS * 2} /></>}</Fact>
      <Fact name="Notional">{money(preview.notional, currency)}</Fact>
      <Fact name="Effective leverage after">{times(preview.leverage)}</Fact>
      <Fact name="Initial margin, about">{money(preview.initialMargin, funded)}</Fact>
      <Fact name="Maintenance margin, about">{money(preview.maintenanceMargin, funded)}</Fact>
      <Fact name="Available funds">{money(preview.availableFunds, funded)}{preview.fundsAsOf === undefined ? null : <> <Age asOf={preview.fundsAsOf} staleMs={FUNDS_STALE_MS} /></>}</Fact>
      {preview.marginAsOf === undefined ? null : <Fact name="Margin told by the broker"><Age asOf={preview.marginAsOf} staleMs={MARGIN_STALE_MS} /></Fact>}
      {preview.stopPrice === undefined ? null : <Fact name="Trailing stop, first at">{price(preview.stopPrice, places)}</Fact>}
      {isMax ? <Fact name={`Max is ${quantity(preview.max.quantity)}, bound by`}>{preview.max.words}</Fact> : null}
      <Fact name="Expires unless the edge takes it in">{Math.round(preview.expiresAfterMs / 1000)} s</Fact>
    </dl>
  );
}
