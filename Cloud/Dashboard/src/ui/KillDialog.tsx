// The kill switch: says what each level does and leaves, wants a reason, and is told apart from a wish by one more button.
import { useRef, useState } from "react";
import { send } from "../state/live";
import { mainEdge } from "../state/select";
import { useStore } from "../state/store";
import { api, newKey } from "../wire/api";
import type { KillRequest } from "../wire/types";
import { Dialog } from "./Dialog";
import { ModeBadge } from "./parts";

const REASON_MAX = 200;

type Level = KillRequest["level"];

const LEVELS: readonly { readonly level: Level; readonly name: string; readonly does: string; readonly button: string }[] = [
  { level: "REDUCING", name: "Reduce only", does: "Nothing opens any more and the bots pause. Close and cancel go on; working orders and stops stay.", button: "Reduce only now" },
  { level: "HALT", name: "Halt", does: "No order that adds exposure is sent any more and the bots pause. Working orders, positions and stops stay as they are; cancel and close go on working.", button: "Halt now" },
  { level: "CANCEL", name: "Halt and cancel", does: "Halts, and cancels every working order that could open. Positions and the stops that protect them stay.", button: "Halt and cancel now" },
];

export function KillDialog({ onClose }: { readonly onClose: () => void }): JSX.Element | null {
  const edge = useStore((state) => mainEdge(state.data));
  const lost = useStore((state) => state.link.state !== "open");
  const [reason, setReason] = useState("Stopped from the dashboard");
  const [level, setLevel] = useState<Level>("HALT");
  const key = useRef(newKey());
  const sent = useRef(false);
  const confirm = (): void => {
    if (sent.current) return;
    sent.current = true;
    void send(`Kill switch: ${level}`, (id) => api.kill({ level, reason: reason.trim() }, id), key.current);
    onClose();
  };
  return (
    <Dialog
      title={<>Halt trading{edge === undefined ? "" : ` on ${edge.name}`}? {edge === undefined ? null : <ModeBadge mode={edge.mode} />}</>}
      onClose={onClose}
      actions={<button type="button" className="button kill" disabled={lost || reason.trim() === ""} onClick={confirm}>{LEVELS.find((one) => one.level === level)?.button}</button>}
    >
      <fieldset className="levels">
        <legend>What is to stop</legend>
        {LEVELS.map((one) => (
          <label key={one.level}>
            <input type="radio" name="level" value={one.level} checked={level === one.level} onChange={() => setLevel(one.level)} />
            <span><strong>{one.name}</strong> {one.does}</span>
          </label>
        ))}
      </fieldset>
      <p>It is written to the ledger, survives restarts, and is lifted only at the edge&apos;s console: <code>tidewire-edge resume</code>.</p>
      {lost ? <p className="refusal" role="alert">No link to the cloud node. At the edge: <code>tidewire-edge kill</code>, or a file named KILL in its data folder.</p> : null}
      <label className="field">Reason
        <input value={reason} maxLength={REASON_MAX} onChange={(event) => setReason(event.target.value)} />
      </label>
    </Dialog>
  );
}
