// The bots at a glance: what each does, in words, and how its signal leans.
import { toPixelNumber } from "../numbers/decimal";
import { spoken } from "../numbers/format";
import { ACCOUNT_STALE_MS } from "../state/select";
import { useStore } from "../state/store";
import { Age, Gain, Panel, useStalled } from "../ui/parts";
import type { Bot } from "../wire/types";

export function BotsCard(): JSX.Element | null {
  const bots = useStore((state) => state.data.bots);
  return (
    <Panel title="Bots">
      {bots.size === 0 ? <p className="empty">No bot runs on this edge.</p> : [...bots.values()].map((bot) => <BotRow key={bot.id} bot={bot} />)}
    </Panel>
  );
}

function BotRow({ bot }: { readonly bot: Bot }): JSX.Element | null {
  const stalled = useStalled();
  return (
    <article className="bot" data-stale={stalled}>
      <h3>{bot.name} <span className="tag" data-state={bot.state}>{bot.state}</span></h3>
      {bot.dailyPnL === undefined ? <span /> : <Gain value={bot.dailyPnL} currency={bot.currency} />}
      <p>{bot.instruments.map((id) => id.split(".")[0]).join(", ")}{bot.position === undefined ? "" : ` · holds ${bot.position}`}</p>
      <p>{spoken(bot.words)}</p>
      {bot.score === undefined ? null : <Meter score={bot.score} />}
      <Age asOf={bot.asOf} staleMs={ACCOUNT_STALE_MS} />
    </article>
  );
}

/** A bar from the middle, −1 to +1, with the number beside it. */
function Meter({ score }: { readonly score: string }): JSX.Element | null {
  const value = Math.max(-1, Math.min(1, toPixelNumber(score)));
  const width = Math.abs(value) * 50;
  const words = `${score.startsWith("-") ? "\u2212" : "+"}${score.replace("-", "")}`;
  return (
    <p className="meter">
      <svg viewBox="0 0 100 4" preserveAspectRatio="none" aria-hidden="true">
        <rect className="meter-track" width="100" height="4" rx="2" />
        <rect className={value < 0 ? "meter-down" : "meter-up"} x={value < 0 ? 50 - width : 50} width={width} height="4" />
      </svg>
      <span><span className="unseen">Signal </span>{words}</span>
    </p>
  );
}
