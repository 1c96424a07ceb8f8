// The bar that every page has: paper or live, the edge, the account's state, theme and kill switch.
import { fixed, maybe, subtract } from "../numbers/decimal";
import { money, share, span } from "../numbers/format";
import { ACCOUNT_STALE_MS, mainAccount, mainEdge, silentSince, unrealisedOf } from "../state/select";
import { useStore } from "../state/store";
import type { Account } from "../wire/types";
import { Icon, Logo } from "./icons";
import { Age, Gain, GATEWAY_WORDS, ModeBadge, useServerNow, useStalled } from "./parts";
import { addressOf } from "./route";
import { useTheme } from "./theme";

export function TopBar({ onKill }: { readonly onKill: () => void }): JSX.Element | null {
  const account = useStore((state) => mainAccount(state.data));
  const edge = useStore((state) => mainEdge(state.data));
  const { theme, next } = useTheme();
  const mode = account?.mode ?? edge?.mode;
  return (
    <header className="topbar">
      <div className="brand"><Logo /><h1>Tidewire</h1></div>
      {mode === undefined ? null : <ModeBadge mode={mode} />}
      <EdgePill />
      <div className="spacer" />
      {account === undefined ? null : <Figures account={account} />}
      <button type="button" className="button square" onClick={next} aria-label={`Theme: ${theme}. Change`} title={`Theme: ${theme}`}>
        <Icon name={theme} />
      </button>
      <button type="button" className="button kill" onClick={onKill} aria-label="Kill switch"><Icon name="kill" /><span>Kill switch</span></button>
    </header>
  );
}

function Figures({ account }: { readonly account: Account }): JSX.Element | null {
  const { currency } = account;
  const net = maybe(account.netLiquidation);
  const stalled = useStalled();
  return (
    <dl className="figures" data-stale={stalled} aria-label={`Account ${account.id}`}>
      <div><dt>Equity</dt><dd>{money(account.netLiquidation, currency)}</dd></div>
      <Result account={account} />
      <div className="wide"><dt>Margin used</dt><dd>{share(maybe(account.initialMargin), net)}</dd></div>
      <div className="wide"><dt>Cushion</dt><dd>{cushion(account)}</dd></div>
      <div className="wide as-of"><dt>As of</dt><dd><Age asOf={account.asOf} staleMs={ACCOUNT_STALE_MS} /></dd></div>
    </dl>
  );
}

/** The day's result where the broker tells it, else what the open positions stand at. */
function Result({ account }: { readonly account: Account }): JSX.Element | null {
  const unrealised = useStore((state) => unrealisedOf(state.data, account));
  const [name, value] = account.dailyPnL === undefined ? ["Unrealised", unrealised] : ["Today", account.dailyPnL];
  return <div><dt>{name}</dt><dd><Gain value={value} currency={account.currency} strong /></dd></div>;
}

/** How far the account is from its maintenance margin, as a share of what it is worth. */
function cushion(account: Account): string {
  const net = maybe(account.netLiquidation);
  const excess = maybe(account.excessLiquidity)
    ?? (net === undefined || account.maintenanceMargin === undefined ? undefined : subtract(net, fixed(account.maintenanceMargin) ?? net));
  return share(excess, net);
}

function EdgePill(): JSX.Element | null {
  const edge = useStore((state) => mainEdge(state.data));
  const link = useStore((state) => state.link.state);
  const serverNow = useServerNow();
  if (link === "lost") return <span className="pill" data-tone="error"><i aria-hidden="true" />Cloud lost</span>;
  if (edge === undefined) return <a className="pill" data-tone="flat" href={addressOf("edges")}><i aria-hidden="true" />No edge yet</a>;
  const silent = silentSince(edge, serverNow);
  if (silent !== undefined) {
    return <a className="pill" data-tone="error" href={addressOf("edges")}><i aria-hidden="true" />Edge silent <small>{span(serverNow - silent)}</small></a>;
  }
  if (edge.gateway.state !== "connected") {
    return <a className="pill" data-tone="warning" href={addressOf("edges")}><i aria-hidden="true" />Gateway {GATEWAY_WORDS[edge.gateway.state]} <small>{edge.name}</small></a>;
  }
  const trip = edge.roundTripMs === undefined ? "" : `${edge.roundTripMs} ms · `;
  return (
    <a className="pill" data-tone="up" href={addressOf("edges")}>
      <i aria-hidden="true" />{edge.name} live <small>{trip}backlog {edge.backlog}</small>
    </a>
  );
}
