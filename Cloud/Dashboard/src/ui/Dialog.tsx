// A question that stops everything else: the browser's own modal dialog, first focus on the way out.
import { type ReactNode, useEffect, useRef } from "react";

interface Props {
  readonly title: ReactNode;
  readonly onClose: () => void;
  readonly children: ReactNode;
  /** The buttons after Cancel. */
  readonly actions: ReactNode;
}

export function Dialog({ title, onClose, children, actions }: Props): JSX.Element | null {
  const dialog = useRef<HTMLDialogElement>(null);
  const cancel = useRef<HTMLButtonElement>(null);
  useEffect(() => {
    // Whoever had the focus gets it back; the browser does that when a modal dialog closes, but not when it is taken out of the page.
    const before = document.activeElement;
    if (dialog.current?.open === false) dialog.current.showModal();
    cancel.current?.focus();
    return () => { if (before instanceof HTMLElement) before.focus(); };
  }, []);
  return (
    <dialog ref={dialog} className="dialog" aria-labelledby="dialog-title" onCancel={(event) => { event.preventDefault(); onClose(); }}>
      <h2 id="dialog-title">{title}</h2>
      {children}
      <div className="dialog-actions">
        <button type="button" ref={cancel} className="button" onClick={onClose}>Cancel</button>
        {actions}
      </div>
    </dialog>
  );
}
