// Dark, light or as the system says; remembered in this browser.
import { useEffect, useState } from "react";

export type Theme = "system" | "dark" | "light";
const KEY = "tidewire.theme";
const NEXT: Readonly<Record<Theme, Theme>> = { system: "dark", dark: "light", light: "system" };
const dark = matchMedia("(prefers-color-scheme: dark)");
const listeners = new Set<() => void>();

function chosen(): Theme {
  const theme = document.documentElement.dataset["theme"];
  return theme === "dark" || theme === "light" ? theme : "system";
}

function choose(theme: Theme): void {
  if (theme === "system") delete document.documentElement.dataset["theme"];
  else document.documentElement.dataset["theme"] = theme;
  try {
    if (theme === "system") localStorage.removeItem(KEY);
    else localStorage.setItem(KEY, theme);
  } catch {
    // Storage may be forbidden; the choice then lasts as long as the page.
  }
  for (const listener of listeners) listener();
}

/** The theme chosen, what it comes to now, and the step to the next choice. */
export function useTheme(): { readonly theme: Theme; readonly shown: "dark" | "light"; readonly next: () => void } {
  const [, redraw] = useState(0);
  useEffect(() => {
    const listener = (): void => redraw((n) => n + 1);
    listeners.add(listener);
    dark.addEventListener("change", listener);
    return () => {
      listeners.delete(listener);
      dark.removeEventListener("change", listener);
    };
  }, []);
  const theme = chosen();
  return { theme, shown: theme === "system" ? (dark.matches ? "dark" : "light") : theme, next: () => choose(NEXT[theme]) };
}
