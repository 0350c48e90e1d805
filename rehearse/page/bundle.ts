import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";

/** The client of the page: one script and one style sheet, the chart library included. */
export interface ClientBundle {
  readonly script: string;
  readonly style: string;
}

const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url));

/** In their order: the last ones adapt the others to a screen. */
const SHEETS = ["base", "header", "scene", "charts", "panel", "phases", "report", "screens"];

/** The client that the package contains, or in the repository a new bundle of its sources. */
export async function clientBundle(): Promise<ClientBundle> {
  const prebuilt = (name: string) => readFile(here(`prebuilt/${name}`), "utf8");
  if (!existsSync(here("prebuilt"))) return await bundleClient();
  return { script: await prebuilt("client.js"), style: await prebuilt("client.css") };
}

export async function bundleClient(): Promise<ClientBundle> {
  const { build } = await import("esbuild");
  const [{ outputFiles }, ours, charts] = await Promise.all([
    build({
      entryPoints: [fileURLToPath(new URL("client/main.ts", import.meta.url))],
      bundle: true,
      write: false,
      format: "iife",
      target: "es2022",
      minify: true,
      logLevel: "warning",
    }),
    Promise.all(SHEETS.map((name) => readFile(here(`client/style/${name}.css`), "utf8"))),
    readFile(createRequire(import.meta.url).resolve("uplot/dist/uPlot.min.css"), "utf8"),
  ]);
  return { script: outputFiles[0]?.text ?? "", style: [charts, ...ours].join("\n") };
}
