import { mkdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, expect, it } from "@jest/globals";
import { killProcesses, startProcess } from "../app-process.ts";
import { connect } from "../running-app.ts";
import { aFolder, recordsIn } from "./a-folder.ts";

afterAll(killProcesses);

it("a store makes no files but those in its folder, however much is written at once", async () => {
  const folder = await aFolder();
  // Where SQLite puts what it wants to have out of memory; to make a file and remove it changes the folder's time.
  const temporary = join(await aFolder(), "temporary");
  await mkdir(temporary);
  const before = await stat(temporary, { bigint: true });
  const app = await startProcess({
    DATA_DIR: folder,
    SQLITE_TMPDIR: temporary,
    TMPDIR: temporary,
    KEEP_ALIVE_TIMEOUT: "100ms",
  });
  const client = await connect(new URL(`http://127.0.0.1:${app.mcpPort}/mcp`), "2026");
  const value = "x".repeat(60_000);
  for (let round = 0; round < 3; round += 1)
    await Promise.all(
      Array.from({ length: 20 }, (_, index) =>
        client.callTool({ name: "store_data_resilient", arguments: { key: `k${index % 5}`, value } }),
      ),
    );
  await client.close();
  app.process.kill("SIGTERM");
  expect((await app.exit).code).toBe(0);

  expect(recordsIn(folder).get("k0")).toMatchObject({ value, revision: 12 });
  expect((await stat(temporary, { bigint: true })).mtimeNs).toBe(before.mtimeNs);
}, 15_000);
