// The pages, and the way out.
import { signOut } from "../state/live";
import { Icon } from "./icons";
import { addressOf, type Page, PAGES } from "./route";

/** What each page is called. */
export const WORDS: Readonly<Record<Page, string>> = { trade: "Trade", ledger: "Ledger", edges: "Edges" };

export function Nav({ page }: { readonly page: Page }): JSX.Element | null {
  return (
    <nav className="nav" aria-label="Pages">
      {PAGES.map((each) => (
        <a key={each} href={addressOf(each)} aria-current={each === page ? "page" : undefined}>
          <Icon name={each} /><span>{WORDS[each]}</span>
        </a>
      ))}
      <button type="button" className="nav-leave" onClick={() => void signOut().catch(() => undefined)}>
        <Icon name="leave" /><span>Sign out</span>
      </button>
    </nav>
  );
}
