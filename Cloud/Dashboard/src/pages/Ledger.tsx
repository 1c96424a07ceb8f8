// The ledger: entries as they arrive, a filter by kind, and one order followed from intent to fill.
import { Fragment, useEffect, useMemo, useState } from "react";
import { kindWords, moment, quantity, spoken, told } from "../numbers/format";
import { mainEdge } from "../state/select";
import { useStore } from "../state/store";
import { Panel } from "../ui/parts";
import { addressOf } from "../ui/route";
import { api, Refused } from "../wire/api";
import type { Entry, Ledger as LedgerAnswer } from "../wire/types";
import { belongs, holes, joinedEntries, olderThan, sought, touches } from "./ledgerState";

const PAGE = 100;
/** Several entries of one turn ask once. */
const SETTLE_MS = 300;
const NO_ENTRIES: readonly Entry[] = [];

interface Loaded { readonly answer: LedgerAnswer; readonly entries: readonly Entry[] }

function useLedger(kinds: readonly string[], follow: string): { readonly loaded: Loaded | undefined; readonly trouble: string | undefined; readonly older: () => void } {
  const snaps = useStore((state) => state.snaps);
  const streamed = useStore((state) => state.data.entries);
  const [loaded, setLoaded] = useState<Loaded>();
  const [trouble, setTrouble] = useState<string>();
  const [again, setAgain] = useState(0);
  const kind = kinds.length === 0 ? undefined : kinds.join(",");
  const failed = (error: unknown): void => setTrouble(error instanceof Refused ? told(error.problem.title, error.problem.detail, error.problem.cure) : "The cloud node did not answer; what is shown may be old.");

  useEffect(() => {
    let gone = false;
    sought((before) => api.ledger({ limit: follow === "" ? PAGE : 500, kind, follow, before })).then((answer) => {
      if (gone) return;
      setTrouble(undefined);
      setLoaded({ answer, entries: joinedEntries(answer.entries) });
    }, (error: unknown) => { if (!gone) failed(error); });
    return () => { gone = true; };
  }, [kind, follow, snaps, again]);

  // What is followed has children that only the cloud knows: ask again when an entry may belong to it.
  const newest = useMemo(() => [...streamed.values()].pop(), [streamed]);
  const known = loaded?.entries ?? NO_ENTRIES;
  const ask = follow !== "" && newest !== undefined && newest.seq > (known[0]?.seq ?? 0) && touches(newest, known, follow);
  useEffect(() => {
    if (!ask) return undefined;
    const timer = setTimeout(() => setAgain((n) => n + 1), SETTLE_MS);
    return () => clearTimeout(timer);
  }, [ask, newest?.seq]);

  const older = (): void => {
    const end = loaded === undefined ? undefined : olderThan(loaded.answer, known);
    if (end === undefined) return;
    sought((before) => api.ledger({ limit: PAGE, kind, follow, before }), end).then((answer) => {
      setLoaded((before) => ({ answer: { ...answer, announced: before?.answer.announced ?? answer.announced }, entries: joinedEntries(before?.entries ?? [], answer.entries) }));
    }, failed);
  };

  const entries = useMemo(() => {
    const live = [...streamed.values()].filter((entry) => belongs(entry, { kinds, follow }, loaded?.answer.edge) && entry.seq >= (known[known.length - 1]?.seq ?? 0));
    return joinedEntries(known, live);
  }, [streamed, known, kind, follow, loaded?.answer.edge]);
  return { loaded: loaded === undefined ? undefined : { answer: loaded.answer, entries }, trouble, older };
}

export function Ledger({ follow }: { readonly follow: string }): JSX.Element | null {
  const [kinds, setKinds] = useState<readonly string[]>([]);
  const { loaded, trouble, older } = useLedger(kinds, follow);
  const edge = useStore((state) => mainEdge(state.data));
  const entries = loaded?.entries ?? NO_ENTRIES;
  const backlog = edge?.backlog ?? 0;
  return (
    <Panel className="ledger" label="Ledger">
      <header className="page-head">
        <h2>Ledger</h2>
        <p>{edge === undefined ? "" : `${edge.name}: ${quantity(String(edge.storedSeq))} entries stored here, ${quantity(String(edge.ackedSeq))} acknowledged.`} Append-only; each entry carries the hash of the one before.</p>
        <Follow follow={follow} />
        {follow === "" ? <Kinds all={loaded?.answer.kinds ?? []} chosen={kinds} onChange={setKinds} /> : null}
      </header>
      {trouble === undefined ? null : <p className="refusal" role="alert">{trouble}</p>}
      {backlog > 0 ? <p className="gap" role="status">{quantity(String(backlog))} newer {backlog === 1 ? "entry is" : "entries are"} at the edge and not here yet.</p> : null}
      {loaded !== undefined && entries.length === 0 ? <p className="empty">{follow === "" ? "No entry of this kind yet." : "No entry about this id. Check it, or wait until the edge has reported."}</p> : null}
      {loaded === undefined && trouble === undefined ? <p className="empty" role="status">Reading the ledger…</p> : null}
      {follow === "" ? <Entries entries={entries} whole={kinds.length === 0} /> : <Path entries={[...entries].reverse()} />}
      {loaded?.answer.older === true && follow === "" ? <button type="button" className="button" onClick={older}>Older entries</button> : null}
    </Panel>
  );
}

function Follow({ follow }: { readonly follow: string }): JSX.Element | null {
  const [text, setText] = useState(follow);
  return (
    <form className="follow" role="search" onSubmit={(event) => { event.preventDefault(); location.hash = addressOf("ledger", text.trim()); }}>
      <label className="field">Follow an order or command
        <input value={text} spellCheck={false} autoComplete="off" placeholder="its id" onChange={(event) => setText(event.target.value)} />
      </label>
      <button type="submit" className="button">Follow</button>
      {follow === "" ? null : <a className="button" href={addressOf("ledger")}>All entries</a>}
    </form>
  );
}

function Kinds({ all, chosen, onChange }: { readonly all: readonly string[]; readonly chosen: readonly string[]; readonly onChange: (kinds: readonly string[]) => void }): JSX.Element | null {
  return (
    <div className="chips" role="group" aria-label="Kinds of entries">
      <button type="button" aria-pressed={chosen.length === 0} onClick={() => onChange([])}>all</button>
      {all.map((kind) => {
        const on = chosen.includes(kind);
        return <button key={kind} type="button" aria-pressed={on} onClick={() => onChange(on ? chosen.filter((each) => each !== kind) : [...chosen, kind])}>{kindWords(kind)}</button>;
      })}
    </div>
  );
}

function Entries({ entries, whole }: { readonly entries: readonly Entry[]; readonly whole: boolean }): JSX.Element | null {
  const gaps = useMemo(() => (whole ? holes(entries) : new Map<number, number>()), [entries, whole]);
  const [open, setOpen] = useState<number>();
  if (entries.length === 0) return null;
  return (
    <div className="table-scroll" tabIndex={0} role="group" aria-label="Entries, newest first">
      <table className="entries">
        <thead><tr><th scope="col" className="number">Seq</th><th scope="col">Time</th><th scope="col">Kind</th><th scope="col">What happened</th><th scope="col">Follow</th><th scope="col">Hash</th></tr></thead>
        <tbody>
          {entries.map((entry) => (
            <Fragment key={`${entry.edge}:${entry.seq}`}>
              <EntryRow entry={entry} open={open === entry.seq} onOpen={() => setOpen(open === entry.seq ? undefined : entry.seq)} />
              {gaps.has(entry.seq) ? <tr className="hole"><td colSpan={6}>{quantity(String(gaps.get(entry.seq)))} entries between are not loaded</td></tr> : null}
            </Fragment>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function EntryRow({ entry, open, onOpen }: { readonly entry: Entry; readonly open: boolean; readonly onOpen: () => void }): JSX.Element | null {
  const subject = entry.order ?? entry.command;
  return (
    <>
      <tr data-seq={entry.seq}>
        <td data-name="Seq" className="number"><button type="button" className="link" aria-expanded={open} aria-label={`Entry ${entry.seq}`} onClick={onOpen}>{entry.seq}</button></td>
        <td data-name="Time">{moment(entry.time)}</td>
        <td data-name="Kind"><span className="tag" data-kind={entry.kind}>{kindWords(entry.kind)}</span></td>
        <td data-name="What happened">{spoken(entry.words)}</td>
        <td data-name="Follow">{subject === undefined ? null : <a href={addressOf("ledger", subject)} aria-label={`Follow entry ${entry.seq}`}>{entry.order === undefined ? "command" : "order"}</a>}</td>
        <td data-name="Hash"><code>{entry.hash.slice(0, 10)}</code></td>
      </tr>
      {open ? <tr className="body"><td colSpan={6}><Body entry={entry} /></td></tr> : null}
    </>
  );
}

function Body({ entry }: { readonly entry: Entry }): JSX.Element | null {
  return (
    <dl className="raw">
      <div><dt>Hash</dt><dd><code>{entry.hash}</code></dd></div>
      <div><dt>Previous</dt><dd><code>{entry.previous}</code></dd></div>
      {entry.order === undefined ? null : <div><dt>Order</dt><dd><code>{entry.order}</code></dd></div>}
      {entry.command === undefined ? null : <div><dt>Command</dt><dd><code>{entry.command}</code></dd></div>}
      <div><dt>Body</dt><dd><pre>{JSON.stringify(entry.body, undefined, 2)}</pre></dd></div>
    </dl>
  );
}

/** One order's life, oldest first. */
function Path({ entries }: { readonly entries: readonly Entry[] }): JSX.Element | null {
  return (
    <ol className="path">
      {entries.map((entry, index) => {
        const before = entries[index - 1];
        const gap = before === undefined ? undefined : Date.parse(entry.time) - Date.parse(before.time);
        return (
          <li key={`${entry.edge}:${entry.seq}`} data-kind={entry.kind} data-seq={entry.seq}>
            <header><span className="tag" data-kind={entry.kind}>{kindWords(entry.kind)}</span> <b>{spoken(entry.words)}</b></header>
            <p>#{entry.seq} · {moment(entry.time)}{gap === undefined ? "" : ` · +${quantity(String(gap))} ms`}</p>
            <details><summary>Body and hash</summary><Body entry={entry} /></details>
          </li>
        );
      })}
    </ol>
  );
}
