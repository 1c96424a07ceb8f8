// The edges: when each was last heard, what it holds that is not here yet, how it stands with its gateway; and the links refused.
import { useState } from "react";
import { moment, quantity, sentence, span, told } from "../numbers/format";
import { silentSince } from "../state/select";
import { useStore } from "../state/store";
import { Age, Fact, GATEWAY_WORDS, ModeBadge, Panel, useServerNow } from "../ui/parts";
import { choiceTitle, SettleDialog } from "../ui/SettleDialog";
import { api, Refused } from "../wire/api";
import type { Decision, Edge, Lag, Refusal } from "../wire/types";

/** A link beats every 2 s; later than this is odd. */
const HEARD_STALE_MS = 6_000;
const SKEW_WARN_MS = 2_000;

export function Edges(): JSX.Element | null {
  const edges = useStore((state) => state.data.edges);
  const refusals = useStore((state) => state.data.refusals);
  return (
    <div className="edges">
      {edges.size === 0 ? <Enrol /> : [...edges.values()].map((edge) => <EdgeCard key={edge.id} edge={edge} />)}
      <Panel title="Refused links">
        {refusals.size === 0 ? <p className="empty">None. A link from an unknown key, or from an edge whose ledger does not continue the one stored here, would be listed here.</p>
          : [...refusals.values()].map((refusal) => <RefusalRow key={refusal.id} refusal={refusal} />)}
      </Panel>
    </div>
  );
}

function Enrol(): JSX.Element | null {
  return (
    <Panel title="No edge enrolled yet">
      <ol className="enrol">
        <li>On this node: <code>tidewire-cloud edge invite home-1</code> prints a one-time token.</li>
        <li>On the machine beside the gateway: <code>tidewire-edge enrol TOKEN</code> prints a six-digit code.</li>
        <li>On this node: <code>tidewire-cloud edge confirm home-1 CODE</code>. The edge then connects by itself.</li>
      </ol>
    </Panel>
  );
}

const STATES: Readonly<Record<Edge["state"], readonly [word: string, tone: string]>> = { live: ["live", "up"], silent: ["silent", "error"], never: ["never heard", "flat"] };

function EdgeCard({ edge }: { readonly edge: Edge }): JSX.Element | null {
  const serverNow = useServerNow();
  const silent = silentSince(edge, serverNow);
  const [word, tone] = silent === undefined ? STATES[edge.state] : STATES.silent;
  return (
    <Panel className="edge" label={`Edge ${edge.name}`}>
      <header className="page-head">
        <h2>{edge.name} <span className="pill" data-tone={tone}><i aria-hidden="true" />{word}{silent === undefined ? null : <small>{span(serverNow - silent)}</small>}</span> <ModeBadge mode={edge.mode} /></h2>
        <p><code>{edge.id}</code>{edge.version === undefined ? "" : ` · version ${edge.version}`}{edge.boot === undefined ? "" : ` · run ${edge.boot}`}</p>
      </header>
      <div className="edge-columns">
        <LinkFacts edge={edge} />
        <LedgerFacts edge={edge} />
        <BrokerFacts edge={edge} />
      </div>
      <Comparison edge={edge} />
    </Panel>
  );
}

function LinkFacts({ edge }: { readonly edge: Edge }): JSX.Element | null {
  const skewed = edge.clockSkewMs !== undefined && Math.abs(edge.clockSkewMs) > SKEW_WARN_MS;
  return (
    <section aria-label="Link">
      <h3>Link</h3>
      <dl className="facts">
        <Fact name="Last heard">{edge.lastHeard === undefined ? "never" : <Age asOf={edge.lastHeard} staleMs={HEARD_STALE_MS} />}</Fact>
        <Fact name="Round trip">{edge.roundTripMs === undefined ? "–" : `${edge.roundTripMs} ms`}</Fact>
        <Fact name="Clock against this node">{edge.clockSkewMs === undefined ? "–" : <span className={skewed ? "warn" : ""}>{edge.clockSkewMs > 0 ? "+" : edge.clockSkewMs < 0 ? "\u2212" : ""}{Math.abs(edge.clockSkewMs)} ms{skewed ? ": set the clock" : ""}</span>}</Fact>
      </dl>
    </section>
  );
}

function LedgerFacts({ edge }: { readonly edge: Edge }): JSX.Element | null {
  return (
    <section aria-label="Ledger">
      <h3>Ledger</h3>
      <dl className="facts">
        <Fact name="Announced by the edge">{quantity(String(edge.announcedSeq))}</Fact>
        <Fact name="Stored here">{quantity(String(edge.storedSeq))}</Fact>
        <Fact name="Acknowledged">{quantity(String(edge.ackedSeq))}</Fact>
        {edge.bookBehind === undefined ? null : <Fact name="Shown here" strong><Behind lag={edge.bookBehind} /></Fact>}
        {edge.tablesBehind === undefined ? null : <Fact name="Index and postings"><Behind lag={edge.tablesBehind} /></Fact>}
        <Fact name="Backlog" strong>
          {edge.backlog === 0 ? "0" : <span className="warn">{quantity(String(edge.backlog))}{edge.backlogOldest === undefined ? "" : <>, oldest <Age asOf={edge.backlogOldest} staleMs={0} /></>}</span>}
        </Fact>
      </dl>
    </section>
  );
}

function Behind({ lag }: { readonly lag: Lag }): JSX.Element | null {
  return <span className="warn">{quantity(String(lag.entries))} behind, oldest <Age asOf={lag.since} staleMs={0} /></span>;
}

const COMPARED: Readonly<Record<NonNullable<Edge["comparison"]>["state"], readonly [word: string, tone: string]>> = {
  running: ["comparing", ""], agrees: ["the same at both ends", "good"], healed: ["damage found and put right", "warn"], differs: ["an entry is damaged", "bad"], interrupted: ["not finished", "warn"],
};

/** The stored bytes of both copies of the ledger: compared every night, and when somebody asks. */
function Comparison({ edge }: { readonly edge: Edge }): JSX.Element | null {
  const [trouble, setTrouble] = useState<string>();
  const [asking, setAsking] = useState(false);
  const { comparison } = edge;
  const running = comparison?.state === "running";
  const [word, tone] = comparison === undefined ? ["never compared", ""] as const : COMPARED[comparison.state];
  const begin = (): void => {
    setAsking(true);
    setTrouble(undefined);
    api.reconcile(edge.name).then(() => setAsking(false), (error: unknown) => {
      setAsking(false);
      setTrouble(error instanceof Refused ? told(error.problem.title, error.problem.detail, error.problem.cure) : "The cloud node did not answer.");
    });
  };
  return (
    <section className="comparison" aria-label="Both copies of the ledger" data-comparison={comparison?.state ?? "never"}>
      <h3>Both copies of the ledger <button type="button" className="button" disabled={asking || running || edge.state !== "live"} onClick={begin}>Compare now</button></h3>
      <p className="words"><b className={tone}>{word}</b>{comparison === undefined ? ". Every stored byte here is compared with the edge's own copy each night." : `: ${sentence(comparison.words)} ${comparison.askedBy === "nightly" ? "By itself, as every night" : `Asked by ${comparison.askedBy}`}, ${moment(comparison.endedAt ?? comparison.startedAt)}.`}</p>
      {running ? <progress max={Math.max(1, comparison.through)} value={comparison.compared} /> : null}
      {comparison?.cure === undefined ? null : <p className="words">{sentence(comparison.cure)}</p>}
      {trouble === undefined ? null : <p className="refusal" role="alert">{trouble}</p>}
      {comparison === undefined || comparison.proof.length === 0 ? null : (
        <details><summary>Proof, and how to check it</summary><pre>{comparison.proof.join("\n")}</pre></details>
      )}
    </section>
  );
}

const DATA: Readonly<Record<Edge["gateway"]["data"], string>> = { live: "live", delayed: "delayed: no orders", none: "none" };

function BrokerFacts({ edge }: { readonly edge: Edge }): JSX.Element | null {
  const { gateway, reconciliation, halt } = edge;
  return (
    <section aria-label="Broker">
      <h3>Broker</h3>
      <dl className="facts">
        <Fact name="Gateway" strong><span className={gateway.state === "connected" ? "good" : "bad"}>{GATEWAY_WORDS[gateway.state]}</span></Fact>
        <Fact name="Since">{moment(gateway.since)}</Fact>
        <Fact name="Market data"><span className={gateway.data === "live" ? "" : "warn"}>{DATA[gateway.data]}</span></Fact>
        <Fact name="Reconciliation"><span className={reconciliation.state === "difference" ? "bad" : ""}>{reconciliation.state}</span></Fact>
        <Fact name="Halt level" strong><span className={halt.level === "NONE" ? "" : "bad"}>{halt.level.toLowerCase()}</span></Fact>
      </dl>
      <p className="words">{told(gateway.words, gateway.cure)}</p>
      <p className="words">{told(reconciliation.words, reconciliation.cure)}</p>
      {halt.level === "NONE" ? null : <p className="words">Halted{halt.by === undefined ? "" : ` by ${halt.by}`}{halt.since === undefined ? "" : ` on ${moment(halt.since)}`}{halt.reason === undefined ? "" : `: ${halt.reason}`}. Lift it at the edge: <code>tidewire-edge resume</code>.</p>}
      {halt.instruments.length === 0 ? null : <p className="words">Only reducing orders in {halt.instruments.join(", ")}.</p>}
    </section>
  );
}

function RefusalRow({ refusal }: { readonly refusal: Refusal }): JSX.Element | null {
  return (
    <article className="refused-link" data-refusal={refusal.id}>
      <h3><span className="tag" data-state="bad">{refusal.verdict}</span> {refusal.edge ?? refusal.key ?? "unknown sender"}</h3>
      <p>{sentence(refusal.words)} <b>{sentence(refusal.cure)}</b></p>
      <p className="note">{quantity(String(refusal.times))} {refusal.times === 1 ? "time" : "times"}, last <Age asOf={refusal.last} staleMs={Infinity} /></p>
      {refusal.decision === undefined ? null : <DecisionWanted decision={refusal.decision} verdict={refusal.verdict} />}
    </article>
  );
}

/** What waits for the decision, where it is not trading. */
const UNDECIDED: Readonly<Record<string, string>> = {
  REVOKED: "Nothing of this edge is taken until you decide, and after.", QUARANTINED: "Nothing of what it wrote meanwhile counts until you decide. It trades on.",
};

/** The question that only a person can answer, since when it waits, and a button for each answer. */
function DecisionWanted({ decision, verdict }: { readonly decision: Decision; readonly verdict: string }): JSX.Element | null {
  const [keep, setKeep] = useState<string>();
  const choice = decision.choices.find((each) => each.keep === keep);
  return (
    <div className="decision" data-decision={decision.edge}>
      <p>{decision.decided === undefined ? <b>{UNDECIDED[verdict] ?? "Trading is halted until you decide which history goes on."}</b> : `${decision.decided}.`} Waiting since {moment(decision.since)}.</p>
      {decision.choices.map((each) => (
        <p key={each.keep}>{each.words} <button type="button" className="button" data-keep={each.keep} onClick={() => setKeep(each.keep)}>{choiceTitle(each)}…</button></p>
      ))}
      {choice === undefined ? null : <SettleDialog decision={decision} choice={choice} onClose={() => setKeep(undefined)} />}
    </div>
  );
}
