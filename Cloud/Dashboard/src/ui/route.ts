// Which page is shown: the part of the address behind `#`, so that any static server will do.
import { useSyncExternalStore } from "react";

export const PAGES = ["trade", "ledger", "edges"] as const;
export type Page = (typeof PAGES)[number];
export interface Route { readonly page: Page; readonly follow: string }

function subscribe(listener: () => void): () => void {
  window.addEventListener("hashchange", listener);
  return () => window.removeEventListener("hashchange", listener);
}

/** `#/ledger?follow=…` */
export function routeOf(hash: string): Route {
  const [path = "", query = ""] = hash.replace(/^#\/?/, "").split("?");
  const page = PAGES.find((name) => name === path) ?? "trade";
  return { page, follow: new URLSearchParams(query).get("follow") ?? "" };
}

export function addressOf(page: Page, follow = ""): string {
  return `#/${page}${follow === "" ? "" : `?follow=${encodeURIComponent(follow)}`}`;
}

export function useRoute(): Route {
  return routeOf(useSyncExternalStore(subscribe, () => location.hash));
}
