import { describe, expect, it } from "@jest/globals";
import { APP, CONTAINER, EPOCH_ANNOTATION, MARK_ANNOTATION, namesOf } from "../../../environment/names.ts";
import { readStatus } from "../../../release/status.ts";
import { Fences } from "../../../release/targets/kubernetes/fences.ts";
import { changedReferences, recordReferences } from "../../../release/targets/kubernetes/staging/references.ts";
import { FakeCluster } from "../../kubernetes/cluster.ts";
import { missingRight } from "../../kubernetes/failures.ts";
import { StoreApi } from "../../kubernetes/store-api.ts";
import { storeWorld } from "../../kubernetes/world.ts";
import { quickEnvironment } from "../memory-target.ts";

const names = namesOf(APP);
const green = { kind: "Deployment", name: names.color("green") } as const;
const { signal } = new AbortController();

/** A color whose pods name two objects that exist and one that does not, staged with mark `m1`. */
function staged(cluster = FakeCluster.deployed()) {
  const { store } = cluster;
  store.create("Secret", { metadata: { name: "login" }, data: { password: "b25l" } });
  store.create("ConfigMap", { metadata: { name: "settings" }, data: { A: "1" } });
  store.edit(green, ({ metadata, spec: { template } }) => {
    metadata.annotations = { [EPOCH_ANNOTATION]: "7" };
    template.metadata.annotations = { [MARK_ANNOTATION]: "m1" };
    template.spec.containers = [
      {
        name: CONTAINER,
        image: "app:2",
        env: [{ name: "P", valueFrom: { secretKeyRef: { name: "login", key: "password" } } }],
        envFrom: [{ configMapRef: { name: "settings" } }, { secretRef: { name: "later", optional: true } }],
      },
    ];
  });
  const api = new StoreApi(store);
  const said: string[] = [];
  const progress = (message: string) => said.push(message);
  const record = (mark = "m1") =>
    recordReferences({ api, fences: new Fences(api), color: "green", mark, fence: { epoch: 7 }, progress }, signal);
  const write = (kind: "Secret" | "ConfigMap", name: string) =>
    store.edit({ kind, name }, (draft) => {
      draft.data = { ...draft.data, more: "x" };
    });
  return { store, api, said, record, write };
}

describe("the Secrets and ConfigMaps that pods of a color name", () => {
  it("have not changed right after the stage", async () => {
    const { api, record } = staged();
    await record();

    expect(await changedReferences(api, "green")).toEqual([]);
  });

  it("are told when others have changed, deleted or created them since", async () => {
    const { api, store, record, write } = staged();
    await record();
    write("Secret", "login");
    store.remove({ kind: "ConfigMap", name: "settings" });
    store.create("Secret", { metadata: { name: "later" } });

    expect(await changedReferences(api, "green")).toEqual([
      { object: "ConfigMap 'settings'", change: "deleted" },
      { object: "Secret 'later'", change: "created" },
      { object: "Secret 'login'", change: "changed" },
    ]);
  });

  it("keep the versions of the first of two stages with the same mark", async () => {
    const { api, record, write } = staged();
    await record();
    write("Secret", "login");
    await record();

    expect(await changedReferences(api, "green")).toEqual([{ object: "Secret 'login'", change: "changed" }]);
  });

  it("are not judged by the record of another stage, or by what another program wrote", async () => {
    const { api, store, record, write } = staged();
    await record();
    write("Secret", "login");
    store.edit(green, ({ spec }) => {
      spec.template.metadata.annotations = { [MARK_ANNOTATION]: "m2" };
    });
    expect(await changedReferences(api, "green")).toEqual([]);

    store.edit(green, ({ metadata }) => {
      metadata.annotations = { "mcp-bluegreen/references": "{" };
    });
    expect(await changedReferences(api, "green")).toEqual([]);
  });

  it("are never read but for their metadata", async () => {
    const { api, record } = staged();
    await record();
    await changedReferences(api, "green");

    expect(JSON.stringify(await api.metadata({ kind: "Secret", name: "login" }))).not.toContain("b25l");
  });

  it("need a right to be read, without which a stage says so and goes on", async () => {
    const { api, said, record } = staged();
    api.faults.add({ kind: "Secret", does: missingRight, times: Infinity });
    await record();

    expect(said).toEqual([expect.stringMatching(/'release status' will not tell .*lacks a right.*'get' on 'secrets'/)]);
    expect(await changedReferences(api, "green")).toEqual([]);
  });

  it("are part of the status of their color", async () => {
    const world = storeWorld();
    const { record, write } = staged(world.cluster);
    await record();
    write("ConfigMap", "settings");
    const { colors } = await readStatus(world.open(), quickEnvironment());

    expect(colors.find(({ color }) => color === "green")?.changed).toEqual([
      { object: "ConfigMap 'settings'", change: "changed" },
    ]);
  });
});
