// The kill switch, level HALT: says what it does, wants a reason, and is told apart from a wish by one more button.
import { useRef, useState } from "react";
import { send } from "../state/live";
import { mainEdge } from "../state/select";
import { useStore } from "../state/store";
import { api, newKey } from "../wire/api";
import { Dialog } from "./Dialog";
import { ModeBadge } from "./parts";

const REASON_MAX = 200;

export function KillDialog({ onClose }: { readonly onClose: () => void }): JSX.Element | null {
  const edge = useStore((state) => mainEdge(state.data));
  const lost = useStore((state) => state.link.state !== "open");
  const [reason, setReason] = useState("Stopped from the dashboard");
  const key = useRef(newKey());
  const sent = useRef(false);
  const confirm = (): void => {
    if (sent.current) return;
    sent.current = true;
    void send("Kill switch: HALT", (id) => api.kill({ level: "HALT", reason: reason.trim() }, id), key.current);
    onClose();
  };
  return (
    <Dialog
      title={<>Halt trading{edge === undefined ? "" : ` on ${edge.name}`}? {edge === undefined ? null : <ModeBadge mode={edge.mode} />}</>}
      onClose={onClose}
      actions={<button type="button" className="button kill" disabled={lost || reason.trim() === ""} onClick={confirm}>Halt now</button>}
    >
      <p>No order that adds exposure is sent any more and the bots pause. Working orders, positions and stops stay as they are; cancel and close go on working.</p>
      <p>It is written to the ledger, survives restarts, and is lifted only at the edge&apos;s console: <code>tidewire-edge resume</code>.</p>
      {lost ? <p className="refusal" role="alert">No link to the cloud node. At the edge: <code>tidewire-edge kill</code>, or a file named KILL in its data folder.</p> : null}
      <label className="field">Reason
        <input value={reason} maxLength={REASON_MAX} onChange={(event) => setReason(event.target.value)} />
      </label>
    </Dialog>
  );
}
