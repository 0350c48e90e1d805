import { Router } from "../../release/targets/local/router.ts";
import type { AppProcess } from "../app/app-process.ts";

/** Connections that two processes share before the next one is replaced. */
const SHARED = 10;

/** Two processes that take turns, of which one after the other is replaced. */
export interface Rolling {
  readonly url: string;
  readonly connections: number;
  /** How many processes have been replaced. */
  readonly replaced: number;
  /**
   * Resolves once both processes have ended.
   *
   * @throws when any of them ended with another code than 0: then a call was cut off
   */
  close(): Promise<void>;
}

/**
 * Sends each connection to the next of two processes. Again and again the older one leaves the rotation, drains on SIGTERM and comes
 * back as a new process; so every call finds both, or one and the other on its way out or in.
 */
export async function startRolling(start: () => Promise<AppProcess>): Promise<Rolling> {
  let pods: readonly AppProcess[] = await Promise.all([start(), start()]);
  let connections = 0;
  let shared = 0;
  let replaced = 0;
  let replacement = Promise.resolve();

  async function replaceOldest(): Promise<void> {
    const [oldest, ...others] = pods;
    if (oldest === undefined) return;
    pods = others;
    await terminate(oldest);
    pods = [...others, await start()];
    shared = 0;
    replaced += 1;
  }

  const router = await Router.listen(0, () => {
    connections += 1;
    if (pods.length === 2 && ++shared === SHARED) {
      replacement = replaceOldest();
      // Whoever closes hears of it; until then nobody listens.
      replacement.catch(() => undefined);
    }
    return pods.map(({ mcpPort }) => ({ port: mcpPort }));
  });

  return {
    url: router.url,
    get connections() {
      return connections;
    },
    get replaced() {
      return replaced;
    },
    async close() {
      await router.close();
      await replacement;
      await Promise.all(pods.map(terminate));
    },
  };
}

async function terminate({ process, exit }: AppProcess): Promise<void> {
  process.kill("SIGTERM");
  const { code, stdout, stderr } = await exit;
  if (code !== 0) throw new Error(`a process ended with ${code}, not 0:\n${stderr}${stdout}`);
}
