import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PATTERN_VALUES } from "../environment/pattern-values.ts";
import { run } from "./command.ts";
import type { Step } from "./step.ts";

const named = (kind: string, name: string, more: object = {}) => ({
  apiVersion: "v1",
  kind,
  metadata: { name, ...(kind === "Namespace" ? {} : { namespace: "default" }) },
  ...more,
});

const labelled = (labels: object) => ({ apiVersion: "v1", kind: "ConfigMap", metadata: { name: "a", labels } });

const podWith = (container: object) =>
  named("Pod", "a", { spec: { containers: [{ name: "a", image: "a", ...container }] } });

/** An object of the API in which a text stands where an environment puts it. */
const OBJECT: Readonly<Record<keyof typeof PATTERN_VALUES, (text: string) => object>> = {
  dnsLabel: (text) => named("Namespace", text),
  label1035: (text) => named("Service", text, { spec: { ports: [{ port: 80 }] } }),
  subdomain: (text) => named("ConfigMap", text),
  qualifiedName: (text) => labelled({ [text]: "a" }),
  labelValue: (text) => labelled({ a: text }),
  variableName: (text) => podWith({ env: [{ name: text, value: "a" }] }),
  quantity: (text) => podWith({ resources: { requests: { memory: text } } }),
};

/** Newer clusters take almost any variable name; programs and shells do not. */
const STRICTER: readonly string[] = ["variableName"];

export const apiPatterns: Step = {
  name: "the API accepts every name and quantity that an environment accepts, and refuses those that it refuses",
  async run() {
    const folder = await mkdtemp(join(tmpdir(), "e2e-"));
    let asked = 0;
    try {
      for (const [pattern, { accepted, refused }] of Object.entries(PATTERN_VALUES)) {
        const object = OBJECT[pattern as keyof typeof PATTERN_VALUES];
        const isAccepted = async (text: string) => {
          const file = join(folder, "object.json");
          await writeFile(file, JSON.stringify(object(text)));
          asked += 1;
          const { code, output } = await run("kubectl", ["create", "--dry-run=server", "--filename", file]);
          return { code, output };
        };
        for (const text of accepted) {
          const { code, output } = await isAccepted(text);
          assert.equal(code, 0, `${pattern} '${text}': ${output}`);
        }
        for (const text of STRICTER.includes(pattern) ? [] : refused) {
          assert.notEqual((await isAccepted(text)).code, 0, `the API accepts the ${pattern} '${text}'`);
        }
      }
    } finally {
      await rm(folder, { recursive: true });
    }
    return `${asked} texts`;
  },
};
