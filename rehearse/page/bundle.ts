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
    readFile(here("client/style.css"), "utf8"),
    readFile(createRequire(import.meta.url).resolve("uplot/dist/uPlot.min.css"), "utf8"),
  ]);
  return { script: outputFiles[0]?.text ?? "", style: `${charts}\n${ours}` };
}
