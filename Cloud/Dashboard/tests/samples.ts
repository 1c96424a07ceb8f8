// The golden samples of the API, which the Swift side is tested against too.
import { readdirSync, readFileSync } from "node:fs";

const folder = process.env["API_SAMPLES"] ?? "";

/** The names of all samples, without `.json`. */
export function sampleNames(): string[] {
  return readdirSync(folder).filter((name) => name.endsWith(".json")).map((name) => name.slice(0, -5)).sort();
}

export function sample(name: string): unknown {
  return JSON.parse(readFileSync(`${folder}/${name}.json`, "utf8")) as unknown;
}
