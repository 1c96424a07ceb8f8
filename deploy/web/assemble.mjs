// The last step of the build: index.html with the hashed names, the static files, the notices, and a gzip beside each text.
import { createHash } from "node:crypto";
import { copyFileSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { basename, extname, join } from "node:path";
import { gzipSync } from "node:zlib";

/** Shorter files do not gain from it. */
const GZIP_BYTES_MIN = 1024;
const TEXTS = new Set([".js", ".css", ".html", ".svg", ".txt"]);

/** The MIT licence in full, which its own condition asks to be passed on. */
const MIT = `Permission is hereby granted, free of charge, to any person obtaining a copy of this software and associated documentation files (the "Software"), to deal
in the Software without restriction, including without limitation the rights to use, copy, modify, merge, publish, distribute, sublicense, and/or sell
copies of the Software, and to permit persons to whom the Software is furnished to do so, subject to the following conditions:

The above copyright notice and this permission notice shall be included in all copies or substantial portions of the Software.

THE SOFTWARE IS PROVIDED "AS IS", WITHOUT WARRANTY OF ANY KIND, EXPRESS OR IMPLIED, INCLUDING BUT NOT LIMITED TO THE WARRANTIES OF MERCHANTABILITY, FITNESS
FOR A PARTICULAR PURPOSE AND NONINFRINGEMENT. IN NO EVENT SHALL THE AUTHORS OR COPYRIGHT HOLDERS BE LIABLE FOR ANY CLAIM, DAMAGES OR OTHER LIABILITY, WHETHER
IN AN ACTION OF CONTRACT, TORT OR OTHERWISE, ARISING FROM, OUT OF OR IN CONNECTION WITH THE SOFTWARE OR THE USE OR OTHER DEALINGS IN THE SOFTWARE.`;

const [dist, app, vendor] = process.argv.slice(2);

function writePage() {
  const meta = JSON.parse(readFileSync(join(dist, "meta.json"), "utf8"));
  const built = (entry) => {
    const found = Object.entries(meta.outputs).find(([, output]) => output.entryPoint === entry);
    if (found === undefined) throw new Error(`the bundle has no output for ${entry}`);
    return `/assets/${basename(found[0])}`;
  };
  const page = readFileSync(join(app, "index.html"), "utf8");
  writeFileSync(join(dist, "index.html"), page.replaceAll("%SCRIPT%", built("src/main.tsx")).replaceAll("%STYLE%", built("styles/app.css")));
  rmSync(join(dist, "meta.json"));
}

function writeNotice() {
  const chart = readFileSync(join(vendor, "lightweight-charts.js"));
  writeFileSync(join(dist, "NOTICE"), [
    "The dashboard contains the work of others.", "",
    "TradingView Lightweight Charts™", "Copyright (c) 2025 TradingView, Inc. https://www.tradingview.com/",
    "Apache License 2.0, https://www.apache.org/licenses/LICENSE-2.0", `SHA-256 of the file as bundled: ${createHash("sha256").update(chart).digest("hex")}`, "",
    "React, React DOM, Scheduler", "Copyright (c) Facebook, Inc. and its affiliates. MIT licence:", "", MIT, "",
  ].join("\n"));
}

function files(folder) {
  return readdirSync(folder).flatMap((name) => {
    const path = join(folder, name);
    return statSync(path).isDirectory() ? files(path) : [path];
  });
}

writePage();
writeNotice();
for (const name of readdirSync(join(app, "static"))) copyFileSync(join(app, "static", name), join(dist, name));
for (const path of files(dist)) {
  const data = readFileSync(path);
  // esbuild leaves an empty legal file for what has no notice.
  if (data.length === 0) rmSync(path);
  else if (TEXTS.has(extname(path)) && data.length > GZIP_BYTES_MIN) writeFileSync(`${path}.gz`, gzipSync(data, { level: 9 }));
}
