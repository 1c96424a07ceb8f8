// The whole page: sign-in, or the shell with one of three pages in it.
import { useEffect, useState } from "react";
import { Edges } from "../pages/Edges";
import { Ledger } from "../pages/Ledger";
import { SignIn } from "../pages/SignIn";
import { Trade } from "../pages/Trade";
import { useStore } from "../state/store";
import { Banners } from "./Banners";
import { KillDialog } from "./KillDialog";
import { Nav, WORDS } from "./Nav";
import { useRoute } from "./route";
import { Toasts } from "./Toasts";
import { TopBar } from "./TopBar";

export function App(): JSX.Element | null {
  const session = useStore((state) => state.session);
  const lost = useStore((state) => state.link.state === "lost");
  if (session === undefined) return <Waiting lost={lost} />;
  return session.signedIn ? <Shell /> : <SignIn />;
}

function Waiting({ lost }: { readonly lost: boolean }): JSX.Element | null {
  return (
    <main className="waiting" aria-busy="true">
      <h1>Tidewire</h1>
      <p role="status">{lost ? "No link to the cloud node. The edge goes on by itself; this page keeps trying." : "Asking the cloud node…"}</p>
    </main>
  );
}

function Shell(): JSX.Element | null {
  const { page, follow } = useRoute();
  const [killing, setKilling] = useState(false);
  useEffect(() => { document.title = `${WORDS[page]} · Tidewire`; }, [page]);
  // The form that had the focus is gone; without this the next Tab would begin at the browser's own bar.
  useEffect(() => document.getElementById("main")?.focus(), []);
  return (
    <div className="shell">
      <a className="skip" href="#main" onClick={(event) => { event.preventDefault(); document.getElementById("main")?.focus(); }}>Skip to the page</a>
      <TopBar onKill={() => setKilling(true)} />
      <Nav page={page} />
      <main id="main" tabIndex={-1} data-page={page}>
        <Banners />
        {page === "trade" ? <Trade /> : page === "ledger" ? <Ledger key={follow} follow={follow} /> : <Edges />}
      </main>
      <Toasts />
      {killing ? <KillDialog onClose={() => setKilling(false)} /> : null}
    </div>
  );
}
