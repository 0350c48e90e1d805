import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Environment } from "../../../environment/environment.ts";
import { writeAddress } from "../../../release/targets/local/address.ts";
import { Control } from "../../../release/targets/local/host/control.ts";
import { Host } from "../../../release/targets/local/host/host.ts";
import single from "./fixtures/environment.ts";

/** The path of a stand-in app: what `--image` names. */
export function image(name: string): string {
  return fileURLToPath(new URL(`./fixtures/${name}.ts`, import.meta.url));
}

export const ENVIRONMENT_FILE = fileURLToPath(new URL("./fixtures/environment.ts", import.meta.url));

export interface AHost extends AsyncDisposable {
  readonly host: Host;
  /** Its folder, as BLUEGREEN_HOME names it. */
  readonly home: string;
  readonly control: string;
  readonly token: string;
}

/** A host in this process, with its apps as processes of their own; resolves when blue is ready. */
export async function startHost(
  options: { readonly blue?: string; readonly leaseTtlMs?: number; readonly environment?: Environment } = {},
): Promise<AHost> {
  const { blue = "version-1", leaseTtlMs, environment = single } = options;
  const home = await mkdtemp(join(tmpdir(), "bluegreen-"));
  const host = await Host.start({ environment, image: image(blue), port: 0, leaseTtlMs, log: () => undefined });
  const token = "secret";
  const control = await Control.listen(host, token);
  await writeAddress(home, { control: control.url, token, url: host.url, pid: process.pid });
  await until(host, () => host.pods("blue").some(({ ready }) => ready));
  return {
    host,
    home,
    control: control.url,
    token,
    async [Symbol.asyncDispose]() {
      await control.close();
      await host.close();
      await rm(home, { recursive: true });
    },
  };
}

/** Resolves when what is said of the processes of a host is so; they tell when they change. */
export async function until(host: Host, holds: () => boolean): Promise<void> {
  while (!holds()) {
    const pods = [...host.pods("blue"), ...host.pods("green")];
    const over = new AbortController();
    await Promise.race(pods.map((pod) => once(pod, "change", { signal: over.signal })));
    over.abort();
  }
}
