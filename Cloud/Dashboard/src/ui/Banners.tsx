// What must be known above all else, at the top of every page.
import { span } from "../numbers/format";
import { banners } from "../state/banners";
import { useNow, useStore } from "../state/store";
import { useServerNow } from "./parts";

export function Banners(): JSX.Element | null {
  const state = useStore((all) => all);
  const now = useNow();
  const list = banners(state, now, useServerNow());
  return (
    <div className="banners">
      {list.map((banner) => (
        <div key={banner.id} className="banner" data-tone={banner.tone} data-banner={banner.id} role={banner.tone === "error" ? "alert" : "status"}>
          <strong>{banner.title}{banner.lastsMs === undefined ? null : <> <span aria-live="off">{span(banner.lastsMs)}</span>.</>}</strong> {banner.words}
        </div>
      ))}
    </div>
  );
}
