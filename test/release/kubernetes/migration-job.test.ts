import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "@jest/globals";
import { environment } from "../../../environment/environment.ts";
import { APP, EPOCH_ANNOTATION, MIGRATION_LABEL, namesOf } from "../../../environment/names.ts";
import local from "../../../environments/local.ts";
import { UsageError } from "../../../release/errors.ts";
import type { Target } from "../../../release/ports/target.ts";
import { jobObject } from "../../../release/targets/kubernetes/migration/job-object.ts";
import { synthesizedSettings } from "../../../release/targets/kubernetes/staging/synthesized-settings.ts";
import { migratingStoreWorld } from "../../kubernetes/world.ts";
import { stackOf, synthesize } from "../../stacks/synthesized.ts";
import { acquire } from "../contract/world.ts";

const names = namesOf(APP);
const MARK = "0c8bd2e1-5c7e-4f63-9a29-7d1f2f0a6b3c";
const STAGE = { color: "green", image: "registry/app:2", mark: MARK } as const;
const { signal } = new AbortController();

const described = environment({
  ...local,
  app: {
    ...local.app,
    settings: { AUTH_MODE: "off", NOTE: "${x} %{y} $${z}" },
    settingsFrom: { PGPASSWORD: { secret: "postgres", key: "password" } },
    envFrom: [{ configMap: "more", prefix: "X_" }],
    files: [{ path: "/etc/app", secret: "files" }],
  },
  pod: {
    labels: { team: "notes" },
    serviceAccount: { existing: "reader" },
    pullSecrets: ["registry"],
    nodeSelector: { disk: "ssd" },
    tolerations: [{ key: "spot", effect: "NoExecute", seconds: 30 }],
    security: { user: 1000, group: 1000, fsGroup: 2000 },
    affinity: {
      nodes: [{ match: [{ key: "zone", operator: "In", values: ["a"] }] }],
      near: [{ labels: { app: "db" }, topologyKey: "kubernetes.io/hostname" }],
    },
  },
  volumes: { notes: { type: "existing", path: "/data/notes", claim: "notes", accessMode: "ReadWriteMany" } },
});

const migration = { command: ["node", "migrate.js"], args: ["--up"], timeoutSeconds: 300, ttlSeconds: 3600 };

/** The Job of an environment, from its real stacks. */
async function aJob(of = described) {
  const folder = await mkdtemp(join(tmpdir(), "stack-"));
  try {
    await writeFile(join(folder, "cdk.tf.json"), JSON.stringify(stackOf(synthesize(of), "green")));
    const settings = await synthesizedSettings(folder, names.color("green"));
    return JSON.parse(JSON.stringify(jobObject(names, STAGE, { epoch: 7 }, migration, settings))) as object;
  } finally {
    await rm(folder, { recursive: true });
  }
}

describe("the Job of a migration", () => {
  it("has the candidate's image, and the settings, secrets, volumes and account of the pods", async () => {
    expect(await aJob()).toMatchObject({
      metadata: {
        name: "mcp-app-migration-2f0a6b3c",
        labels: { [MIGRATION_LABEL]: MARK, "app.kubernetes.io/name": APP },
        annotations: { [EPOCH_ANNOTATION]: "7" },
      },
      spec: {
        suspend: true,
        backoffLimit: 0,
        ttlSecondsAfterFinished: 3600,
        template: {
          metadata: { labels: { team: "notes", "app.kubernetes.io/name": APP } },
          spec: {
            restartPolicy: "Never",
            serviceAccountName: "reader",
            automountServiceAccountToken: false,
            imagePullSecrets: [{ name: "registry" }],
            nodeSelector: { disk: "ssd" },
            tolerations: [{ key: "spot", operator: "Exists", effect: "NoExecute", tolerationSeconds: 30 }],
            securityContext: { runAsNonRoot: true, runAsUser: 1000, runAsGroup: 1000, fsGroup: 2000 },
            affinity: {
              nodeAffinity: {
                requiredDuringSchedulingIgnoredDuringExecution: {
                  nodeSelectorTerms: [{ matchExpressions: [{ key: "zone", operator: "In", values: ["a"] }] }],
                },
              },
              podAffinity: {
                requiredDuringSchedulingIgnoredDuringExecution: [
                  { topologyKey: "kubernetes.io/hostname", labelSelector: { matchLabels: { app: "db" } } },
                ],
              },
            },
            volumes: expect.arrayContaining([
              { name: "notes", persistentVolumeClaim: { claimName: "notes" } },
              { name: "files-0", secret: { secretName: "files" } },
            ]),
            containers: [
              {
                image: STAGE.image,
                command: ["node", "migrate.js"],
                args: ["--up"],
                env: expect.arrayContaining([
                  { name: "PGPASSWORD", valueFrom: { secretKeyRef: { name: "postgres", key: "password" } } },
                  { name: "RELEASE_MARK", value: MARK },
                  { name: "NOTE", value: "${x} %{y} $${z}" },
                ]),
                envFrom: [{ prefix: "X_", configMapRef: { name: "more" } }],
                volumeMounts: expect.arrayContaining([{ name: "notes", mountPath: "/data/notes" }]),
                securityContext: { allowPrivilegeEscalation: false, readOnlyRootFilesystem: true },
              },
            ],
          },
        },
      },
    });
  });

  it("has no part of the color, so that no Service of a color sends it calls", async () => {
    expect(JSON.stringify(await aJob())).not.toContain("mcp-bluegreen/color");
  });
});

describe("a migration in a cluster", () => {
  /** Creates the run, and starts it. */
  async function aRun(setUp: (world: ReturnType<typeof migratingStoreWorld>) => void = () => undefined) {
    const world = migratingStoreWorld();
    setUp(world);
    const target = world.open();
    const { fence } = await acquire(target);
    await target.migrations?.create(STAGE, fence, signal);
    const shown: string[] = [];
    const state = { over: false };
    const run = runOf(target, fence, shown).finally(() => {
      state.over = true;
    });
    for (let steps = 0; steps < 20 && !state.over; steps++) {
      await world.pass(500);
      await world.settle();
    }
    return { ...(await run), shown, world };
  }

  async function runOf({ migrations }: Target, fence: { readonly epoch: number }, shown: string[]) {
    if (migrations === undefined) throw new Error("no migrations");
    return await migrations.run(STAGE, fence, signal, (message) => shown.push(message));
  }

  it("whose image does not exist is ended at once, and named", async () => {
    const { outcome, reason, world } = await aRun(({ cluster }) => {
      cluster.jobs.script = (status) => {
        const waiting = { reason: "ImagePullBackOff", message: "registry/app:2 not found" };
        status.containerStatuses = [{ name: "app", state: { waiting } }];
      };
    });

    expect(outcome).toBe("fail");
    expect(reason).toContain("ImagePullBackOff: registry/app:2 not found");
    const job = world.store.get({ kind: "Job", name: names.migration(MARK) });
    expect(JSON.stringify(job?.status)).toContain("DeadlineExceeded");
  });

  it("whose log may not be read has failed all the same, and says why there is no log", async () => {
    const { outcome, shown } = await aRun((world) => {
      const open = world.open.bind(world);
      Object.assign(world, {
        open() {
          const target = open();
          const api = world.apiOf(target);
          api.log = () => Promise.reject(new Error("'me' lacks a right"));
          return target;
        },
      });
    });

    expect(outcome).toBe("fail");
    expect(shown.join("\n")).toContain("its log could not be read: 'me' lacks a right");
  });

  it("does not take the Job of another release for its own", async () => {
    const world = migratingStoreWorld();
    const labels = { [MIGRATION_LABEL]: "another" };
    world.store.create("Job", { metadata: { name: names.migration(MARK), labels }, spec: { suspend: true } });
    const target = world.open();
    const { fence } = await acquire(target);

    await expect(target.migrations?.create(STAGE, fence, signal)).rejects.toThrow(UsageError);
  });
});
