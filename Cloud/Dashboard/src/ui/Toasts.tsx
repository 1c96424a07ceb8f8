// Each command that this page sent walks before the eyes, each step with its time: queued, dispatched, received, and done only when the ledger says so.
import { useEffect } from "react";
import { price, quantity, span, told } from "../numbers/format";
import { askAgain, send } from "../state/live";
import { type Walk, walks } from "../state/reduce";
import { store, useStore } from "../state/store";
import { api } from "../wire/api";
import type { Command, CommandState } from "../wire/types";
import { Icon } from "./icons";
import { useServerNow } from "./parts";

/** A good end is put away by itself; a bad one waits for a person. */
const DONE_MS = 10_000;
const TOASTS_MAX = 4;
/** The verdict of a living edge takes a moment longer than the expiry itself. */
const OVERDUE_MS = 5_000;

export function Toasts(): JSX.Element | null {
  const requests = useStore((state) => state.requests);
  const commands = useStore((state) => state.data.commands);
  const dismissed = useStore((state) => state.dismissed);
  return (
    <div className="toasts" role="log" aria-live="polite" aria-label="Commands">
      {walks(requests, commands, dismissed).slice(0, TOASTS_MAX).map((walk) => <Toast key={walk.id} walk={walk} />)}
    </div>
  );
}

type Outcome = CommandState | "sending" | "unanswered";

function outcomeOf({ command, request }: Walk): Outcome {
  if (command !== undefined) return command.state;
  if (request === undefined || request.state === "sending") return "sending";
  return request.state === "taken" ? "queued" : request.state;
}

function Toast({ walk }: { readonly walk: Walk }): JSX.Element | null {
  const { command, request } = walk;
  const outcome = outcomeOf(walk);
  const good = command?.final === true && (outcome === "filled" || outcome === "accepted");
  const dismiss = (): void => store.dispatch({ kind: "dismiss", id: walk.id });
  useEffect(() => {
    if (!good) return undefined;
    const timer = setTimeout(() => store.dispatch({ kind: "dismiss", id: walk.id }), DONE_MS);
    return () => clearTimeout(timer);
  }, [good, walk.id]);
  const reason = command?.reason ?? request?.problem?.detail ?? request?.problem?.title;
  const cure = command?.cure ?? request?.problem?.cure;
  return (
    <article className="toast" data-outcome={outcome} data-command={walk.id}>
      <header><h3>{walk.title}</h3><button type="button" className="button bare" aria-label={`Put away: ${walk.title}`} onClick={dismiss}><Icon name="close" /></button></header>
      <Steps command={command} outcome={outcome} />
      {command === undefined ? null : <Filled command={command} />}
      {command === undefined ? null : <Overdue command={command} />}
      {outcome === "unanswered" ? <p>The cloud node did not answer, so it is not known whether it was taken. Asking again is safe: it stays one command.</p> : null}
      {command === undefined ? null : <TakeBack command={command} />}
      {isBad(outcome) || (command?.final === true && reason !== undefined) ? <p className="reason">{told(reason, cure)}</p> : null}
      {outcome === "unanswered" ? <button type="button" className="button" onClick={() => askAgain(walk.id)}>Ask again</button> : null}
    </article>
  );
}

/** Past its time without a word: it may have reached the edge, whose ledger alone can tell. */
function Overdue({ command }: { readonly command: Command }): JSX.Element | null {
  const serverNow = useServerNow();
  if (!isUndecided(command) || command.expiresAt === undefined || serverNow < Date.parse(command.expiresAt) + OVERDUE_MS) return null;
  return <p className="reason">Its time is over. Whether the edge took it in before will be known when the edge reports; look at the position before you ask again.</p>;
}

/** Nobody knows yet whether the edge did it. */
function isUndecided(command: Command): boolean {
  return !command.final && (command.state === "queued" || command.state === "dispatched" || command.state === "delivered");
}

/** Offered while it can still be: the edge's answer comes as a command of its own. */
function TakeBack({ command }: { readonly command: Command }): JSX.Element | null {
  if (!isUndecided(command) || command.kind === "kill" || command.kind === "withdraw") return null;
  return <button type="button" className="button" data-testid="take-back" onClick={() => void send(`Take back: ${command.title}`, (key) => api.withdraw(command.id, key))}>Take back</button>;
}

function isBad(outcome: Outcome): outcome is CommandState {
  return outcome === "refused" || outcome === "expired" || outcome === "withdrawn" || outcome === "superseded";
}

/** What a step is called: the edge's receipt is not yet a deed. */
function wordOf(state: CommandState, fills: boolean): string {
  if (state === "delivered") return "received";
  return state === "accepted" && !fills ? "executed" : state;
}

/** When a step was reached, after how long, and for how long the last one has lasted. */
function timeOf(command: Command | undefined, state: CommandState, serverNow: number): { title?: string; "data-after"?: string } {
  const step = command?.walk.find((one) => one.state === state);
  if (command === undefined || step === undefined) return {};
  const after = (Date.parse(step.at) - Date.parse(command.createdAt)) / 1000;
  const age = command.state === state && !command.final ? `, for ${span(serverNow - Date.parse(step.at))}` : "";
  return { title: step.at, "data-after": state === "queued" ? age.slice(2) : `+${after.toFixed(after < 10 ? 2 : 0)} s${age}` };
}

function Steps({ command, outcome }: { readonly command: Command | undefined; readonly outcome: Outcome }): JSX.Element | null {
  const fills = command === undefined || command.kind === "order" || command.kind === "close";
  const plan: readonly CommandState[] = fills ? ["queued", "dispatched", "delivered", "accepted", "filled"] : ["queued", "dispatched", "delivered", "accepted"];
  const serverNow = useServerNow();
  const seen = new Set<CommandState>(command === undefined ? (outcome === "queued" ? ["queued"] : []) : command.walk.map((step) => step.state));
  const shown: readonly CommandState[] = isBad(outcome) ? [...plan.filter((state) => seen.has(state)), outcome] : plan;
  return (
    <ol className="steps">
      {shown.map((state) => <li key={state} data-reached={seen.has(state) || state === outcome} data-state={state} aria-current={state === outcome ? "step" : undefined} {...timeOf(command, state, serverNow)}>{wordOf(state, fills)}</li>)}
      {outcome === "sending" ? <li data-reached="true" data-state="sending" aria-current="step">sending…</li> : null}
    </ol>
  );
}

function Filled({ command }: { readonly command: Command }): JSX.Element | null {
  const instrument = useStore((state) => (command.instrument === undefined ? undefined : state.data.instruments.get(command.instrument)));
  if (command.filled === undefined || command.filled === "0") return null;
  const at = command.averagePrice === undefined ? "" : ` @ ${price(command.averagePrice, instrument?.priceDecimals ?? 2)}`;
  return <p className="filled">{quantity(command.filled)}{at}</p>;
}
