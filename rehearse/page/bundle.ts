import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

/** The client of the page: one script and one style sheet, the chart library included. */
export interface ClientBundle {
  readonly script: string;
  readonly style: string;
}

const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url));

/** In their order: the last ones adapt the others to a screen. */
const SHEETS = ["base", "header", "scene", "charts", "panel", "phases", "report", "screens"];

export async function bundleClient(): Promise<ClientBundle> {
  const [{ outputFiles }, ours, charts] = await Promise.all([
    build({
      entryPoints: [here("client/main.ts")],
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
