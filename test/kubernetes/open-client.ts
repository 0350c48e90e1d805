import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { ClientOptions } from "../../release/targets/kubernetes/api/client.ts";
import { openKubeApi, type OpenedApi } from "../../release/targets/kubernetes/api/open.ts";

/** Opens the real client on an API server, through a kubeconfig that names it. */
export function openClient(url: URL, namespace: string, options?: ClientOptions): OpenedApi {
  const folder = mkdtempSync(join(tmpdir(), "kubeconfig-"));
  const file = join(folder, "config");
  writeFileSync(
    file,
    JSON.stringify({
      "current-context": "fake",
      clusters: [{ name: "fake", cluster: { server: url.href } }],
      contexts: [{ name: "fake", context: { cluster: "fake" } }],
    }),
  );
  const opened = openKubeApi({ namespace }, { KUBECONFIG: file }, options);
  return {
    ...opened,
    close() {
      opened.close();
      rmSync(folder, { recursive: true });
    },
  };
}
