// The trade page: one instrument's chart, position and ticket; all positions, orders and fills below.
import { useState } from "react";
import { front } from "../state/select";
import { useStore } from "../state/store";
import { AccountCard } from "../trade/AccountCard";
import { BotsCard } from "../trade/BotsCard";
import { ChartPanel } from "../trade/ChartPanel";
import { type Asked, OrderDialog } from "../trade/OrderDialog";
import { PositionBar } from "../trade/PositionBar";
import { Fills, Orders, Positions } from "../trade/tables";
import { TicketButtons, TicketPanel } from "../trade/TicketPanel";
import { FIRST_TICKET, type Ticket } from "../trade/ticketState";
import { Panel } from "../ui/parts";
import type { Instrument } from "../wire/types";

/** `picked` undefined means the front contract, also after a roll. What was picked and is gone is not replaced by another under the ticket. */
export function Trade(): JSX.Element | null {
  const [picked, setPicked] = useState<string>();
  const instruments = useStore((state) => state.data.instruments);
  const instrument = useStore((state) => (picked === undefined ? front(state.data) : state.data.instruments.get(picked)));
  const [ticket, setTicket] = useState<Ticket>(FIRST_TICKET);
  const [question, setQuestion] = useState<{ readonly instrument: Instrument; readonly asked: Asked }>();
  const close = (id: string): void => {
    const of = instruments.get(id);
    if (of !== undefined) setQuestion({ instrument: of, asked: { side: "CLOSE" } });
  };
  const ask = (asked: Asked): void => { if (instrument !== undefined) setQuestion({ instrument, asked }); };
  return (
    <div className="trade">
      <div className="trade-main">
        {instrument === undefined ? <Nothing picked={picked} onFront={() => setPicked(undefined)} /> : <><ChartPanel instrument={instrument} /><PositionBar instrument={instrument} /></>}
        <Books onPick={setPicked} onClose={close} />
      </div>
      <div className="trade-side">
        {instrument === undefined ? null : <TicketPanel instrument={instrument} ticket={ticket} onChange={setTicket} onAsk={ask} />}
        <AccountCard />
        <BotsCard />
      </div>
      {instrument === undefined ? null : <TicketButtons instrument={instrument} ticket={ticket} onAsk={ask} strip />}
      {question === undefined ? null : <OrderDialog instrument={question.instrument} asked={question.asked} ticket={ticket} onClose={() => setQuestion(undefined)} />}
    </div>
  );
}

/** No instrument to show: none named yet, or the one picked is no longer watched. */
function Nothing({ picked, onFront }: { readonly picked: string | undefined; readonly onFront: () => void }): JSX.Element | null {
  if (picked !== undefined) {
    return <Panel title="Trade"><p className="empty">{picked} is not watched any more. <button type="button" className="link" onClick={onFront}>Show the front contract</button></p></Panel>;
  }
  return <Panel title="Trade"><p className="empty">No front contract yet. The edge names it when its gateway is connected; see the <a href="#/edges">Edges</a> page. Positions can be closed from the list below.</p></Panel>;
}

const TABS = ["Positions", "Orders", "Fills"] as const;
type Tab = (typeof TABS)[number];

function Books({ onPick, onClose }: { readonly onPick: (id: string) => void; readonly onClose: (id: string) => void }): JSX.Element | null {
  const [tab, setTab] = useState<Tab>("Positions");
  const counts = {
    Positions: useStore((state) => state.data.positions.size), Orders: useStore((state) => state.data.orders.size), Fills: useStore((state) => state.data.fills.size),
  };
  // Left and right arrows move between tabs, as everywhere.
  const move = (by: number): void => {
    const next = TABS[(TABS.indexOf(tab) + by + TABS.length) % TABS.length] ?? "Positions";
    setTab(next);
    document.getElementById(`tab-${next}`)?.focus();
  };
  return (
    <section className="panel books" aria-label="Positions, orders and fills">
      <div className="tabs" role="tablist" aria-label="Positions, orders and fills">
        {TABS.map((name) => (
          <button
            key={name} type="button" role="tab" id={`tab-${name}`} aria-selected={name === tab} aria-controls="books" tabIndex={name === tab ? 0 : -1} onClick={() => setTab(name)}
            onKeyDown={(event) => { if (event.key === "ArrowRight") move(1); else if (event.key === "ArrowLeft") move(-1); }}
          >
            {name} <small>{counts[name]}</small>
          </button>
        ))}
      </div>
      <div role="tabpanel" id="books" aria-labelledby={`tab-${tab}`}>
        {tab === "Positions" ? <Positions onPick={onPick} onClose={onClose} /> : tab === "Orders" ? <Orders /> : <Fills />}
      </div>
    </section>
  );
}
