import { describe, expect, it } from "@jest/globals";
import { APP, namesOf, SETTINGS_ANNOTATION, WANTED_SETTINGS_KEY } from "../../../environment/names.ts";
import { pendingChanges } from "../../../release/targets/kubernetes/staging/pending.ts";
import { FakeCluster } from "../../kubernetes/cluster.ts";
import { StoreApi } from "../../kubernetes/store-api.ts";

const names = namesOf(APP);

/** What is pending when the live pods were staged with `staged`, and the last deploy wants `wanted`. */
async function pending(staged: string | undefined, data: Record<string, string>) {
  const { store } = FakeCluster.deployed();
  store.create("ConfigMap", { metadata: { name: names.wantedSettings }, data });
  store.edit({ kind: "Deployment", name: names.color("blue") }, ({ spec }) => {
    spec.template.metadata.annotations = staged === undefined ? {} : { [SETTINGS_ANNOTATION]: staged };
  });
  return await pendingChanges(new StoreApi(store), "blue");
}

const wants = (settings: object) => ({ [WANTED_SETTINGS_KEY]: JSON.stringify(settings) });

const BASE = { imagePullPolicy: "IfNotPresent", env: [{ name: "A", value: "1" }] };

describe("the pending changes of the live color", () => {
  it("name each field that differs by its path, and show nested fields", async () => {
    const staged = {
      ...BASE,
      command: ["serve", "--quiet"],
      resources: { limits: { memory: "256Mi" } },
      pod: { graceSeconds: 30, volume: [{ name: "tmp", emptyDir: {} }] },
    };
    const wanted = {
      ...BASE,
      command: ["serve"],
      env: [...BASE.env, { name: "KEY", valueFrom: { secretKeyRef: { name: "s", key: "k" } } }],
      resources: { limits: { memory: "512Mi" } },
      pod: { graceSeconds: 45, labels: { "example.com/team": "a b" }, volume: [] },
    };

    expect(await pending(JSON.stringify(staged), wants(wanted))).toEqual([
      { setting: "command", running: '["serve","--quiet"]', wanted: '["serve"]' },
      { setting: "env.KEY.valueFrom.secretKeyRef.key", running: undefined, wanted: "k" },
      { setting: "env.KEY.valueFrom.secretKeyRef.name", running: undefined, wanted: "s" },
      { setting: "pod.graceSeconds", running: "30", wanted: "45" },
      { setting: "pod.labels.example.com/team", running: undefined, wanted: "a b" },
      { setting: "pod.volume", running: undefined, wanted: "[]" },
      { setting: "pod.volume.tmp.emptyDir", running: "{}", wanted: undefined },
      { setting: "resources.limits.memory", running: "256Mi", wanted: "512Mi" },
    ]);
  });

  it("are none if only the order of variables or keys differs", async () => {
    const env = [
      { name: "A", value: "1" },
      { name: "B", value: "2" },
    ];

    expect(
      await pending(
        JSON.stringify({ ...BASE, env }),
        wants({ env: env.toReversed(), imagePullPolicy: "IfNotPresent" }),
      ),
    ).toEqual([]);
  });

  it("are what differs from the paths that an earlier version of the kit wrote", async () => {
    const staged = { imagePullPolicy: "IfNotPresent", "env.A": "1", "command.0": "serve", "pod.labels.a_b": "c" };
    const wanted = { ...BASE, command: ["serve", "--quiet"], pod: { labels: { "a/b": "c" }, serviceAccountName: "x" } };

    expect(await pending(JSON.stringify(staged), wants(wanted))).toEqual([
      { setting: "command.1", running: undefined, wanted: "--quiet" },
      { setting: "pod.serviceAccountName", running: undefined, wanted: "x" },
    ]);
  });

  it("are plain settings alone for pods that the first version of the kit staged", async () => {
    expect(await pending('{"A":"0","B":"2"}', wants(BASE))).toEqual([
      { setting: "env.A", running: "0", wanted: "1" },
      { setting: "env.B", running: "2", wanted: undefined },
    ]);
  });

  it("compare two texts of an earlier version as that version did", async () => {
    expect(await pending('{"A":"1","B":"1"}', { A: "1", B: "2" })).toEqual([
      { setting: "B", running: "1", wanted: "2" },
    ]);
  });

  it("are all fields if the annotation is not the kit's", async () => {
    for (const staged of [undefined, "{", "[]", "null", '"x"']) {
      expect(await pending(staged, wants(BASE))).toEqual([
        { setting: "env.A", running: undefined, wanted: "1" },
        { setting: "imagePullPolicy", running: undefined, wanted: "IfNotPresent" },
      ]);
    }
  });
});
