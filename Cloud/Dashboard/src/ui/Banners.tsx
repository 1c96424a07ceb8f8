// What must be known above all else, at the top of every page.
import { banners } from "../state/banners";
import { useStore } from "../state/store";
import { useServerNow } from "./parts";
import { useNow } from "../state/store";

export function Banners(): JSX.Element | null {
  const state = useStore((all) => all);
  const now = useNow();
  const list = banners(state, now, useServerNow());
  return (
    <div className="banners">
      {list.map((banner) => (
        <div key={banner.id} className="banner" data-tone={banner.tone} data-banner={banner.id} role={banner.tone === "error" ? "alert" : "status"}>
          <strong>{banner.title}</strong> {banner.words}
        </div>
      ))}
    </div>
  );
}
