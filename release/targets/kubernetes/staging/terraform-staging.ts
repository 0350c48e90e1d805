import { mkdir, readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { COLOR_LABEL, scopeName, stackName } from "../../../../environment/names.ts";
import { other, type Color } from "../../../../environment/color.ts";
import { Displaced, StateChanged, TargetRefused, TrafficMoved, UsageError } from "../../../errors.ts";
import type { Clock } from "../../../ports/clock.ts";
import type { Fence } from "../../../ports/fence.ts";
import type { ChangedReference, PendingChange, Stage, Staging } from "../../../ports/staging.ts";
import { pointer, type KubeApi } from "../api/kube-api.ts";
import { attempt } from "../attempt.ts";
import { epochOf, type Fences } from "../fences.ts";
import { leaseOf, type Lease } from "../held-lease.ts";
import { SelectorTraffic } from "../traffic.ts";
import { failureOf, GuardFailed } from "./failure.ts";
import { pendingChanges } from "./pending.ts";
import { changedReferences, recordReferences } from "./references.ts";
import { judge, readPlan, type Verdict } from "./plan-rules.ts";
import { run, type Command } from "./process.ts";

export interface TerraformStagingOptions {
  readonly api: KubeApi;
  readonly fences: Fences;
  readonly clock: Clock;
  readonly environment: { readonly name: string; readonly namespace: string };

  /** What a synth calls the environment: its name, or the absolute path of its file. */
  readonly environmentInput: string;

  /** Finds the folder of cdktf.json. The local state of a stack is there, too. Called when something is staged. */
  readonly project: () => string;

  /** Variables of the synth and of Terraform, with a KUBECONFIG of absolute paths. @default process.env */
  readonly env?: NodeJS.ProcessEnv;

  /** Hears of every step that takes more than two seconds. @default nothing */
  readonly progress?: (message: string) => void;
}

/** A plan that is older is made again: what it was checked against may have changed. */
const PLAN_MS = 60_000;

const TRIES = 3;

const projectSchema = z.looseObject({ app: z.string().min(1), context: z.record(z.string(), z.unknown()).default({}) });

/**
 * Stages with Terraform: synthesizes the color's stack, saves a plan, holds it to the rules, and applies that very plan.
 *
 * The plan checks the live color and the epoch during the apply, so that one that is applied late changes nothing. A
 * local state is the file that `cdktf deploy` uses: the synth runs in the same folder, and its path is absolute.
 */
export class TerraformStaging implements Staging {
  readonly #options: TerraformStagingOptions;
  readonly #traffic: SelectorTraffic;
  readonly #env: NodeJS.ProcessEnv;

  constructor(options: TerraformStagingOptions) {
    this.#options = options;
    this.#traffic = new SelectorTraffic(options.api, options.fences);
    const given = Object.entries(options.env ?? process.env).filter(([name]) => !/^TF_(CLI_ARGS|LOG)/.test(name));
    this.#env = { ...Object.fromEntries(given), TF_IN_AUTOMATION: "1", NO_COLOR: "1" };
  }

  async stage(stage: Stage, fence: Fence, signal: AbortSignal): Promise<void> {
    await this.#assertIdle(stage.color, signal);
    const folder = await this.synthesize(stage, fence, signal);
    await this.#terraform(folder, ["init", "-reconfigure"], signal);
    const plan = join(folder, `${stage.mark}.tfplan`);
    try {
      await this.#planAndApply(folder, plan, stage.color, signal);
    } catch (error) {
      if (!(error instanceof GuardFailed)) throw error;
      await this.#assertIdle(stage.color, signal);
      throw await this.#fencedOff(fence, signal);
    } finally {
      // A plan contains the values of the state.
      await rm(plan, { force: true });
    }
    signal.throwIfAborted();
    await recordReferences({ ...this.#options, ...stage, fence }, signal);
    await this.#preview(stage.color, fence, signal);
  }

  async changed(color: Color, signal?: AbortSignal): Promise<readonly ChangedReference[]> {
    return await changedReferences(this.#options.api, color, signal);
  }

  async pending(live: Color, signal?: AbortSignal): Promise<readonly PendingChange[]> {
    return await pendingChanges(this.#options.api, live, signal);
  }

  async #assertIdle(color: Color, signal?: AbortSignal): Promise<void> {
    if ((await this.#traffic.live(signal)) === color) throw new TrafficMoved(other(color), color);
  }

  /** Why the fence of the live Service is another one, or was. Without it no plan can be applied, so it gets it back. */
  async #fencedOff({ epoch }: Fence, signal: AbortSignal): Promise<Error> {
    await this.#assertOurs(epoch, signal);
    await this.#options.fences.raiseAll(epoch, signal);
    // A later holder may have fenced the Service before it was replaced.
    await this.#assertOurs(epoch, signal);
    return new StateChanged("the live Service had not the fence of this release during the apply: nothing was staged");
  }

  async #assertOurs(epoch: number, signal: AbortSignal): Promise<void> {
    const { api } = this.#options;
    const lease = await attempt("read the release lease", api.get<Lease>(leaseOf(api.names), signal));
    if (lease === undefined || epochOf(lease) <= epoch) return;
    throw new Displaced(`the lease was taken over by ${lease.spec?.holderIdentity}, and nothing was staged`);
  }

  /**
   * Writes the stack of a stage, and deploys nothing.
   *
   * @returns the folder of the stack, which keeps Terraform's providers between stages
   */
  async synthesize({ color, image, mark }: Stage, { epoch }: Fence, signal: AbortSignal): Promise<string> {
    const { environmentInput } = this.#options;
    const project = this.#options.project();
    const { app, context } = await readProject(project);
    const out = join(project, ".release", scopeName(this.#named()));
    await mkdir(out, { recursive: true, mode: 0o700 });
    const env = {
      ...this.#env,
      CDKTF_OUTDIR: out,
      CDKTF_CONTEXT_JSON: JSON.stringify(context),
      ENVIRONMENT: environmentInput,
      // The App of a user may have several apps and environments.
      BLUEGREEN_APP: scopeName(this.#named()),
      STAGE: `${color}=${image}`,
      STAGE_MARK: mark,
      STAGE_EPOCH: String(epoch),
      ACTIVATE: "",
    };
    const command = { program: app, args: [], shell: true, cwd: project, env, what: app };
    const { code, killedBy, stdout, stderr } = await this.#run(command, signal);
    if (code === 0) return join(out, "stacks", this.#stack(color));
    const failure = failureOf(app, { output: stderr + stdout, env: this.#env, killedBy });
    // The app ends with 2 if an input is wrong.
    throw code === 2 ? new UsageError(failure.message) : new TargetRefused("invalid", failure.message);
  }

  async #planAndApply(folder: string, plan: string, color: Color, signal: AbortSignal): Promise<void> {
    const { clock } = this.#options;
    for (let tries = 0; tries < TRIES; tries++) {
      const start = clock.now();
      let verdict = await this.#plan(folder, plan, color, [], signal);
      if (!verdict.apply) verdict = await this.#plan(folder, plan, color, verdict.targets, signal);
      if (!verdict.apply) throw new StateChanged("the autoscaler has changed while this stage was planned");
      await this.#assertIdle(color, signal);
      if (clock.now() - start > PLAN_MS) continue;
      await this.#terraform(folder, ["apply", plan], signal, true);
      return;
    }
    throw new StateChanged(
      `the plan of this stage was older than ${PLAN_MS / 1000} s before it was applied, ${TRIES} times`,
    );
  }

  async #plan(
    folder: string,
    plan: string,
    color: Color,
    targets: readonly string[],
    signal: AbortSignal,
  ): Promise<Verdict> {
    const limits = targets.map((address) => `-target=${address}`);
    await this.#terraform(folder, ["plan", "-detailed-exitcode", `-out=${plan}`, ...limits], signal);
    const json = await this.#terraform(folder, ["show", "-json", plan], signal);
    const { api, environment } = this.#options;
    const { namespace } = environment;
    return judge(readPlan(json), {
      stack: this.#stack(color),
      namespace,
      color,
      name: api.names.color(color),
    });
  }

  async #terraform(cwd: string, args: readonly string[], signal: AbortSignal, completes = false): Promise<string> {
    const [name = "", ...rest] = args;
    const what = `terraform ${name}`;
    const flags = name === "show" ? ["-no-color"] : ["-input=false", "-no-color"];
    const command = { program: "terraform", args: [name, ...flags, ...rest], cwd, env: this.#env, what, completes };
    const { code, killedBy, stdout, stderr } = await this.#run(command, signal);
    if (code === 0 || (name === "plan" && code === 2)) return stdout;
    throw failureOf(what, { output: `${stderr}\n${stdout}`, env: this.#env, killedBy });
  }

  async #run(command: Omit<Command, "progress">, signal: AbortSignal) {
    return await run({ ...command, progress: this.#options.progress ?? (() => undefined) }, signal);
  }

  /** People who want to see a version before it is live find it there. */
  async #preview(color: Color, fence: Fence, signal: AbortSignal): Promise<void> {
    const object = { kind: "Service", name: this.#options.api.names.preview } as const;
    const operations = [{ op: "add", path: `/spec/selector/${pointer(COLOR_LABEL)}`, value: color }] as const;
    await this.#options.fences.write({ object, what: `show ${color} in the preview`, fence, operations }, signal);
  }

  #named() {
    const { api, environment } = this.#options;
    return { name: environment.name, app: { name: api.names.app } };
  }

  #stack(color: Color): string {
    return stackName(this.#named(), color);
  }
}

async function readProject(project: string) {
  const file = join(project, "cdktf.json");
  try {
    return projectSchema.parse(JSON.parse(await readFile(file, "utf8")));
  } catch {
    throw new UsageError(`could not read '${file}' or its field 'app'; run the command with the project's cdktf.json`);
  }
}
