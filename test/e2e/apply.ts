import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import local from "./on-node-port.ts";
import { mustRun, run } from "./command.ts";

export interface Applied extends AsyncDisposable {
  /** Waits until a dry run of a kubectl command is answered with this text: the API server learns of a policy late. */
  inForce(command: readonly string[], text: string): Promise<void>;
}

/** Objects in the cluster that are gone when this is disposed of. */
export async function applied(objects: readonly object[]): Promise<Applied> {
  const folder = await mkdtemp(join(tmpdir(), "e2e-"));
  const file = join(folder, "objects.json");
  await writeFile(file, JSON.stringify({ apiVersion: "v1", kind: "List", items: objects }));
  await mustRun("kubectl", ["apply", "--filename", file]);
  return {
    async inForce(command, text) {
      const deadline = performance.now() + 30_000;
      for (;;) {
        const args = ["--namespace", local.namespace, ...command, "--dry-run=server"];
        const { output } = await run("kubectl", args);
        if (output.includes(text)) return;
        if (performance.now() > deadline) throw new Error(`not in force: 'kubectl ${args.join(" ")}' said ${output}`);
        await sleep(200);
      }
    },
    async [Symbol.asyncDispose]() {
      await mustRun("kubectl", ["delete", "--filename", file, "--ignore-not-found"]);
      await rm(folder, { recursive: true });
    },
  };
}
