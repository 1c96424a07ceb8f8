// Name and password; says what is wrong and how long to wait.
import { type FormEvent, useEffect, useRef, useState } from "react";
import { span, told } from "../numbers/format";
import { signIn } from "../state/live";
import { useNow, useStore } from "../state/store";
import { Logo } from "../ui/icons";
import { Refused, Unanswered } from "../wire/api";

interface Trouble { readonly words: string; readonly until?: number }

function troubleOf(error: unknown): Trouble {
  if (error instanceof Refused) {
    const { title, detail, cure, retryAfterMs } = error.problem;
    const words = told(title, detail, cure);
    return retryAfterMs === undefined ? { words } : { words, until: Date.now() + retryAfterMs };
  }
  if (error instanceof Unanswered) return { words: "The cloud node does not answer. Check that it runs and that you have a network, then try again." };
  return { words: `The answer could not be read: ${String(error)}` };
}

export function SignIn(): JSX.Element | null {
  const farewell = useStore((state) => state.farewell);
  const version = useStore((state) => state.session?.version);
  const [name, setName] = useState("admin");
  const [password, setPassword] = useState("");
  const [busy, setBusy] = useState(false);
  const [trouble, setTrouble] = useState<Trouble>();
  const field = useRef<HTMLInputElement>(null);
  const now = useNow();
  const wait = trouble?.until === undefined ? 0 : Math.max(0, trouble.until - now);
  useEffect(() => {
    document.title = "Sign in · Tidewire";
    field.current?.focus();
  }, []);

  const submit = (event: FormEvent): void => {
    event.preventDefault();
    if (busy || wait > 0) return;
    setBusy(true);
    signIn(name, password).then(() => setTrouble(undefined), (error: unknown) => {
      setTrouble(troubleOf(error));
      setPassword("");
      field.current?.focus();
    }).finally(() => setBusy(false));
  };

  return (
    <main className="signin">
      <form className="panel" onSubmit={submit} aria-labelledby="signin-title">
        <div className="brand"><Logo /><h1 id="signin-title">Tidewire</h1></div>
        <p>Sign in to see and steer your edge.</p>
        {farewell === undefined ? null : <p className="note" role="status">{farewell}</p>}
        <label className="field">Name
          <input name="username" autoComplete="username" required value={name} onChange={(event) => setName(event.target.value)} />
        </label>
        <label className="field">Password
          <input ref={field} name="password" type="password" autoComplete="current-password" required value={password} onChange={(event) => setPassword(event.target.value)} />
        </label>
        {trouble === undefined ? null : <p className="refusal" role="alert">{trouble.words}{wait > 0 ? ` (${span(wait + 999)} left)` : ""}</p>}
        <button type="submit" className="button primary" disabled={busy || wait > 0}>{busy ? "Signing in…" : "Sign in"}</button>
        {version === undefined || version === "" ? null : <p className="version">Tidewire {version}</p>}
      </form>
    </main>
  );
}
