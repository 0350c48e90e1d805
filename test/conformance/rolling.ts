import { setTimeout as sleep } from "node:timers/promises";
import { Router } from "../../release/targets/local/host/router.ts";
import type { AppProcess } from "../app/app-process.ts";

/** Connections between one replacement and the next. */
const BETWEEN = 20;

/** Milliseconds that a Service takes to learn that a pod is going; a drain's delay has to be longer. */
const LATE = 100;

/** Two processes in turn, of which one after the other is replaced. */
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
 * Sends each connection to the next of two processes. Again and again a new one takes the place of the older one, which gets SIGTERM,
 * leaves the rotation a little too late, drains and ends, as in a Deployment's rolling update. There are always two in the rotation,
 * so that the rounds of one call hardly ever reach the same process.
 */
export async function startRolling(start: () => Promise<AppProcess>): Promise<Rolling> {
  let pods: readonly AppProcess[] = await Promise.all([start(), start()]);
  let connections = 0;
  let since = 0;
  let replaced = 0;
  let replacement: Promise<void> | undefined;

  async function replaceOldest(): Promise<void> {
    const [oldest] = pods;
    if (oldest === undefined) return;
    pods = [...pods, await start()];
    const leave = async () => {
      await sleep(LATE);
      pods = pods.filter((pod) => pod !== oldest);
    };
    await Promise.all([terminate(oldest), leave()]);
    since = 0;
    replaced += 1;
    replacement = undefined;
  }

  const router = await Router.listen(0, () => {
    connections += 1;
    since += 1;
    if (since > BETWEEN && replacement === undefined) {
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
