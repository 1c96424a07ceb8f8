// Small parts that many places use: ages, signed amounts, badges, panels.
import type { ReactNode } from "react";
import { ago, gain, tone } from "../numbers/format";
import { ageMs, isFlowing, mainEdge, skew } from "../state/select";
import { useNow, useStore } from "../state/store";
import type { GatewayState, Mode, PositionSide, Side } from "../wire/types";

/** The server's clock in ms, new every second. */
export function useServerNow(): number {
  return useNow() + useStore((state) => skew(state.skews));
}

/** True while no figure can be trusted to be the present one, whatever its own age says. */
export function useStalled(): boolean {
  const serverNow = useServerNow();
  return useStore((state) => !isFlowing(state, serverNow));
}

/** Age of a datum by the server's clock, in ms. */
export function useAge(asOf: string | undefined): number | undefined {
  const serverNow = useServerNow();
  const edge = useStore((state) => mainEdge(state.data));
  return asOf === undefined ? undefined : ageMs(asOf, serverNow, edge);
}

/** `3 s ago`, marked when older than `staleMs`. */
export function Age({ asOf, staleMs }: { readonly asOf: string; readonly staleMs: number }): JSX.Element | null {
  const age = useAge(asOf) ?? 0;
  return <time className="age" dateTime={asOf} data-stale={age > staleMs} title={`as of ${asOf}`}>{ago(age)}</time>;
}

/** A gain or loss: sign and colour together. */
export function Gain({ value, currency, strong = false }: { readonly value: string | undefined; readonly currency: string; readonly strong?: boolean }): JSX.Element | null {
  return <span className={strong ? "gain strong" : "gain"} data-tone={tone(value)}>{gain(value, currency)}</span>;
}

export function ModeBadge({ mode }: { readonly mode: Mode }): JSX.Element | null {
  return <span className="mode" data-mode={mode} title={mode === "PAPER" ? "Simulated money" : "Real money"}>{mode}</span>;
}

/** How the edge stands with its gateway, in a word or two. */
export const GATEWAY_WORDS: Readonly<Record<GatewayState, string>> = {
  connected: "connected", connecting: "connecting", unreachable: "unreachable", refusing: "refusing", silent: "does not answer", loggedOut: "logged out", wrongAccount: "wrong account",
};

const LETTERS: Readonly<Record<PositionSide | Side, readonly [letter: string, word: string, tone: string]>> = {
  LONG: ["L", "long", "up"], SHORT: ["S", "short", "down"], FLAT: ["F", "flat", "flat"], BUY: ["B", "buy", "up"], SELL: ["S", "sell", "down"],
};

/** L, S, B or S on its colour, with the word for those who do not see it. */
export function SideBadge({ side }: { readonly side: PositionSide | Side }): JSX.Element | null {
  const [letter, word, colour] = LETTERS[side];
  return <span className="side" data-tone={colour}><span aria-hidden="true">{letter}</span><span className="unseen">{word}</span></span>;
}

interface PanelProps { readonly title?: string; readonly aside?: ReactNode; readonly className?: string; readonly label?: string; readonly children: ReactNode }

export function Panel({ title, aside, className = "", label, children }: PanelProps): JSX.Element | null {
  return (
    <section className={`panel ${className}`} aria-label={label ?? title}>
      {title === undefined ? null : <header className="panel-head"><h2>{title}</h2>{aside}</header>}
      {children}
    </section>
  );
}

/** One line of name and figure. */
export function Fact({ name, children, strong = false }: { readonly name: string; readonly children: ReactNode; readonly strong?: boolean }): JSX.Element | null {
  return <div className={strong ? "fact strong" : "fact"}><dt>{name}</dt><dd>{children}</dd></div>;
}
