// What the ledger page holds: entries asked for, joined with those that the stream brings; pure.
import { entryKey } from "../state/rows";
import type { Entry, Ledger } from "../wire/types";

/** The most entries on the page; older ones come by paging. */
const SHOWN_MAX = 2000;

export interface Filter { readonly kinds: readonly string[]; readonly follow: string }

/** Whether an entry from the stream belongs to what is shown; following is the cloud's to answer, as it knows the child orders. */
export function belongs(entry: Entry, filter: Filter, edge: string | undefined): boolean {
  if (edge !== undefined && entry.edge !== edge) return false;
  if (filter.follow !== "") return false;
  return filter.kinds.length === 0 || filter.kinds.includes(entry.kind);
}

/** Whether an entry may belong to what is followed, so that the cloud should be asked again. */
export function touches(entry: Entry, shown: readonly Entry[], follow: string): boolean {
  if (entry.order === follow || entry.command === follow) return true;
  return shown.some((known) => (known.order !== undefined && known.order === entry.order) || (known.command !== undefined && known.command === entry.command));
}

/** Joined by number, newest first, each entry once. */
export function joinedEntries(...lists: readonly (readonly Entry[])[]): readonly Entry[] {
  const all = new Map<string, Entry>();
  for (const list of lists) for (const entry of list) all.set(entryKey(entry), entry);
  return [...all.values()].sort((a, b) => b.seq - a.seq).slice(0, SHOWN_MAX);
}

/** Entries that the edge announced and the cloud has not stored yet. */
export function missing(ledger: Pick<Ledger, "announced"> | undefined, head: number): number {
  return ledger === undefined ? 0 : Math.max(0, ledger.announced - head);
}

/** Which numbers are left out between two neighbours of the unfiltered list, newest first. */
export function holes(entries: readonly Entry[]): ReadonlyMap<number, number> {
  const result = new Map<number, number>();
  entries.forEach((entry, index) => {
    const older = entries[index + 1];
    if (older !== undefined && entry.seq - older.seq > 1) result.set(entry.seq, entry.seq - older.seq - 1);
  });
  return result;
}

/** A search by kind ends after a stretch of the ledger: so many stretches are looked through before the person has to ask on. */
const STRETCHES_MAX = 50;

/** Asks on while nothing was found and the cloud says how far it looked. */
export async function sought(ask: (before: number | undefined) => Promise<Ledger>, before?: number): Promise<Ledger> {
  let answer = await ask(before);
  for (let count = 1; answer.entries.length === 0 && answer.lookedFrom !== undefined && count < STRETCHES_MAX; count += 1) answer = await ask(answer.lookedFrom);
  return answer;
}

/** Where the next page begins: below what was looked at, else below the oldest entry shown. */
export function olderThan(answer: Pick<Ledger, "lookedFrom">, shown: readonly Entry[]): number | undefined {
  return answer.lookedFrom ?? shown[shown.length - 1]?.seq;
}
