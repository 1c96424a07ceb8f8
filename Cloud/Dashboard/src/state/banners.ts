// What a person must be told above everything else, worst first, each with words and a cure.
import { sentence, told } from "../numbers/format";
import type { State } from "./model";
import { mainEdge, silentSince } from "./select";

export interface Banner {
  readonly id: string;
  readonly tone: "error" | "warning" | "info";
  readonly title: string;
  /** For how long it has been so, in ms: it stands behind the title and is not read out anew each second. */
  readonly lastsMs?: number;
  readonly words: string;
}

/** `serverNow` and `now` in ms: the server's clock and ours. */
export function banners(state: State, now: number, serverNow: number): readonly Banner[] {
  const { data, link } = state;
  const result: Banner[] = [];
  if (link.state === "lost") {
    result.push({
      id: "cloud", tone: "error", title: "No link to the cloud node for", lastsMs: now - link.since,
      words: "What you see is the last that was known. The edge goes on by itself. Nothing can be sent from here until the link is back; this page keeps trying.",
    });
  }
  const edge = mainEdge(data);
  if (edge !== undefined) {
    const silent = silentSince(edge, serverNow);
    const unheard = edge.state === "never";
    if (unheard) {
      result.push({
        id: "unheard", tone: "warning", title: `${edge.name} has not reported since the cloud node started.`,
        words: "What you see comes from the ledger stored here. New entries are off until the edge links; Close and Kill are queued, and expire if it does not answer.",
      });
    }
    if (silent !== undefined) {
      result.push({
        id: "edge", tone: "error", title: "The edge has been silent for", lastsMs: serverNow - silent,
        words: "It keeps its own stops and bots running at home. New entries are off here until it reports; Close and Kill are queued, and expire if it does not answer.",
      });
    }
    if (edge.halt.level !== "NONE") {
      const who = edge.halt.by === undefined ? "" : ` by ${edge.halt.by}`;
      const why = edge.halt.reason === undefined ? "" : `: ${edge.halt.reason}`;
      result.push({
        id: "halt", tone: "error", title: `${edge.halt.level}${who}${why}.`,
        words: "Nothing that adds exposure is sent; bots pause; cancels, stops and closes work. Lower it at the edge's console: tidewire-edge resume.",
      });
    }
    if (silent === undefined && !unheard && edge.gateway.state !== "connected") {
      result.push({ id: "gateway", tone: edge.gateway.state === "connecting" ? "warning" : "error", title: sentence(edge.gateway.words), words: edge.gateway.cure ?? "" });
    } else if (silent === undefined && !unheard && edge.reconciliation.state !== "clean") {
      const bad = edge.reconciliation.state === "difference";
      result.push({ id: "reconciliation", tone: bad ? "error" : "info", title: sentence(edge.reconciliation.words), words: edge.reconciliation.cure ?? "" });
    }
  }
  for (const notice of data.notices.values()) {
    result.push({ id: notice.id, tone: notice.severity, title: sentence(notice.title), words: told(notice.words, notice.cure) });
  }
  return result;
}
