// Which of two histories of an edge goes on, or whether a revoked one may come back: says what the choice means, and wants the edge's name before it is taken.
import { useState } from "react";
import { useStore } from "../state/store";
import { api, Refused } from "../wire/api";
import { told } from "../numbers/format";
import type { Decision } from "../wire/types";
import { Dialog } from "./Dialog";

type Choice = Decision["choices"][number];

const TITLES: Readonly<Record<Choice["keep"], string>> = {
  edge: "Keep the edge\u2019s history", cloud: "Keep the cloud\u2019s history", readmit: "Let the edge come back", close: "Leave the edge out",
};

const HISTORIES = "Nothing is merged and nothing is deleted. The decision becomes an entry of the ledger and begins a new lineage; it cannot be taken back. Orders of the other history that still live at the broker halt the account when they are found.";
const REVOKED = "Nothing is deleted. The decision is kept with your name and the time; it can be changed until the edge is enrolled anew.";
/** What follows from a choice, whatever it is. */
const CONSEQUENCES: Readonly<Record<Choice["keep"], string>> = { edge: HISTORIES, cloud: HISTORIES, readmit: REVOKED, close: REVOKED };

export function choiceTitle(choice: Choice): string { return TITLES[choice.keep]; }

export function SettleDialog({ decision, choice, onClose }: { readonly decision: Decision; readonly choice: Choice; readonly onClose: () => void }): JSX.Element | null {
  const lost = useStore((state) => state.link.state !== "open");
  const [name, setName] = useState("");
  const [trouble, setTrouble] = useState<string>();
  const [asking, setAsking] = useState(false);
  const confirm = (): void => {
    setAsking(true);
    setTrouble(undefined);
    api.settle(decision.edge, { keep: choice.keep, confirm: name.trim() }).then(onClose, (error: unknown) => {
      setAsking(false);
      setTrouble(error instanceof Refused ? told(error.problem.title, error.problem.detail, error.problem.cure) : "The cloud node did not answer. Look at this page again before you decide once more.");
    });
  };
  return (
    <Dialog
      title={<>{choiceTitle(choice)} of {decision.edge}?</>}
      onClose={onClose}
      actions={<button type="button" className="button kill" disabled={lost || asking || name.trim() !== decision.edge} onClick={confirm}>{choiceTitle(choice)}</button>}
    >
      <p>{choice.words}</p>
      <p>{CONSEQUENCES[choice.keep]}</p>
      {trouble === undefined ? null : <p className="refusal" role="alert">{trouble}</p>}
      <label className="field">Type the edge&apos;s name, {decision.edge}
        <input value={name} spellCheck={false} autoComplete="off" onChange={(event) => setName(event.target.value)} />
      </label>
    </Dialog>
  );
}
