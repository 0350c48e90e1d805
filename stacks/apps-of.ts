import { TerraformStack, type App } from "cdktf";
import type { Environment } from "../environment/environment.ts";
import type { ProviderCluster } from "./environment-stack.ts";
import { InvalidInput, type Change } from "./inputs.ts";

interface Member {
  /** The name that its stacks begin with. */
  readonly name: string;
  readonly environment: Environment;
  readonly cluster: ProviderCluster;
  /** What makes the namespace, or reads the one that exists. */
  platform?: TerraformStack;
}

const registry = new WeakMap<App, AppsOf>();

/**
 * The blue-green apps of one cdktf App: they share its stack names, its variables and perhaps a
 * cluster.
 */
export class AppsOf {
  readonly #app: App;
  readonly #members: Member[] = [];
  #change: Change = {};

  private constructor(app: App) {
    this.#app = app;
  }

  static in(app: App): AppsOf {
    const known = registry.get(app) ?? new AppsOf(app);
    registry.set(app, known);
    return known;
  }

  /**
   * The part of a change that is for one app.
   *
   * @throws InvalidInput if a change names no app and there are several
   */
  changeOf(name: string, change: Change): Change {
    const [first] = this.#members;
    const { app, stage, activate } = change;
    const isChange = stage !== undefined || activate !== undefined;
    if (first !== undefined && app === undefined && (isChange || isAny(this.#change))) {
      throw new InvalidInput(
        `this App has several apps, '${first.name}' and '${name}': say which one is meant with BLUEGREEN_APP`,
      );
    }
    if (isChange) this.#change = change;
    return app === undefined || app === name ? change : {};
  }

  /** @throws InvalidInput if two apps would write to the same objects */
  add(member: Member): void {
    for (const other of this.#members) {
      const problem = isBeside(member, other) ? conflict(member, other) : undefined;
      if (problem !== undefined) throw new InvalidInput(problem);
    }
    this.#members.push(member);
  }

  /**
   * Lets a namespace be made before the other apps in it are deployed, in whichever order they were declared.
   *
   * @param name of an app that was added
   */
  place(name: string, platform: TerraformStack): void {
    const member = this.#members.find((it) => it.name === name);
    if (member === undefined) return;
    member.platform = platform;
    for (const other of this.#members.filter((it) => it !== member && isBeside(member, it))) {
      if (other.environment.createNamespace && other.platform !== undefined) platform.addDependency(other.platform);
      if (member.environment.createNamespace) other.platform?.addDependency(platform);
    }
  }

  /** The problems that show only when the App is complete. One of the apps reports them for all. */
  problems(name: string): string[] {
    const names = this.#members.map((member) => member.name);
    if (name !== names[0]) return [];
    const { app } = this.#change;
    const unknown =
      app === undefined || names.includes(app)
        ? []
        : [`BLUEGREEN_APP names '${app}', and this App has ${names.map((it) => `'${it}'`).join(", ")}`];
    return [...unknown, ...this.#stackNames()];
  }

  /** cdktf writes stacks of one name over each other, wherever they are in the tree. */
  #stackNames(): string[] {
    const ids = this.#app.node
      .findAll()
      .filter((it) => TerraformStack.isStack(it))
      .map((stack) => stack.node.id);
    const twice = new Set(ids.filter((id, index) => ids.indexOf(id) !== index));
    return [...twice].map((id) => `two stacks are called '${id}': give one another name`);
  }
}

const isAny = ({ app, stage, activate }: Change) =>
  app === undefined && (stage !== undefined || activate !== undefined);

/** Whether two apps are in one namespace of one cluster. */
const isBeside = (one: Member, other: Member) =>
  one.environment.namespace === other.environment.namespace &&
  JSON.stringify([one.cluster.files, one.cluster.context]) ===
    JSON.stringify([other.cluster.files, other.cluster.context]);

function conflict(one: Member, other: Member): string | undefined {
  const { app, namespace, createNamespace } = one.environment;
  if (app.name === other.environment.app.name) {
    return `'${one.name}' and '${other.name}' both call their objects '${app.name}' in the namespace '${namespace}': give one another app.name`;
  }
  if (createNamespace && other.environment.createNamespace) {
    return `'${one.name}' and '${other.name}' both make the namespace '${namespace}': set createNamespace to false for one`;
  }
  return undefined;
}
