import assert from "node:assert/strict";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parse } from "yaml";
import local from "../on-node-port.ts";
import { applied } from "../apply.ts";
import { liveColor } from "../cluster.ts";
import { mustRun } from "../command.ts";
import { inWords, underLoad } from "../load.ts";
import { CANDIDATE, startRelease } from "../release.ts";
import type { Step } from "../step.ts";

const { namespace } = local;
const ACCOUNT = "e2e-release";

interface Role {
  readonly metadata: { readonly name: string };
  readonly rules: readonly { readonly resources: readonly string[]; readonly verbs: readonly string[] }[];
}

export const leastRights: Step = {
  name: "a release works with the Role of docs/release-role.yaml and no other right, and names one that is taken away",
  async run() {
    const role = parse(await readFile(new URL("../../../docs/release-role.yaml", import.meta.url), "utf8")) as Role;
    const before = await liveColor();
    const folder = await mkdtemp(join(tmpdir(), "e2e-"));
    try {
      const load = await underLoad(async () => {
        await withRole({ ...role, rules: role.rules.filter(without("pods/portforward")) }, async () => {
          const variables = { KUBECONFIG: await kubeconfigOf(folder) };
          const { code, reason } = await startRelease("run", { args: CANDIDATE, variables }).ended;
          assert.equal(code, 4, reason);
          assert.match(reason, /allows 'get' on 'pods\/portforward'/);
        });
        await withRole(role, async () => {
          const variables = { KUBECONFIG: await kubeconfigOf(folder) };
          const { code, result, reason } = await startRelease("run", { variables }).ended;
          assert.deepEqual({ code, result }, { code: 0, result: "released" }, reason);
        });
      });
      assert.notEqual(await liveColor(), before);
      return inWords(load);
    } finally {
      await rm(folder, { recursive: true });
    }
  },
};

const without =
  (resource: string) =>
  ({ resources }: Role["rules"][number]) =>
    !resources.includes(resource);

/** Does something while a service account has this Role alone. */
async function withRole(role: Role, something: () => Promise<void>): Promise<void> {
  const granted = await applied([
    { apiVersion: "v1", kind: "ServiceAccount", metadata: { name: ACCOUNT, namespace } },
    { ...role, metadata: { ...role.metadata, namespace } },
    {
      apiVersion: "rbac.authorization.k8s.io/v1",
      kind: "RoleBinding",
      metadata: { name: ACCOUNT, namespace },
      roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "Role", name: role.metadata.name },
      subjects: [{ kind: "ServiceAccount", name: ACCOUNT, namespace }],
    },
  ]);
  try {
    await something();
  } finally {
    await granted[Symbol.asyncDispose]();
  }
}

/** The kubeconfig of the tests, with a token of the account in place of its user. */
async function kubeconfigOf(folder: string): Promise<string> {
  const view = await mustRun("kubectl", ["config", "view", "--raw", "--minify", "--flatten", "--output=json"]);
  const config = JSON.parse(view) as { users: { name: string; user: object }[] };
  const token = (await mustRun("kubectl", ["create", "token", ACCOUNT, "--namespace", namespace])).trim();
  const file = join(folder, "kubeconfig.json");
  const users = config.users.map(({ name }) => ({ name, user: { token } }));
  await writeFile(file, JSON.stringify({ ...config, users }), { mode: 0o600 });
  return file;
}
