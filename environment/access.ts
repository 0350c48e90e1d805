import { InvalidEnvironment, type Environment } from "./environment.ts";

type Described = Pick<Environment, "name" | "server" | "app"> & { readonly context?: string | undefined };

/** The settings with which anyone who reaches the server may call it, as a message shows them; none if it checks callers. */
export function authorizationOff({ server, app }: Pick<Described, "server" | "app">): string | undefined {
  const off = Object.entries(server.authorizationOff);
  if (off.length === 0 || off.some(([name, value]) => app.settings[name] !== value)) return undefined;
  return off.map(([name, value]) => `${name} '${value}'`).join(", ");
}

/**
 * The environment in the kubeconfig context that a user names beside it.
 *
 * @param context of `--context` or KUBE_CONTEXT. @default - the environment's
 * @throws InvalidEnvironment if the environment names another one
 */
export function inContext<T extends Described>(environment: T, context: string | undefined): T {
  if (context === undefined || context === "" || context === environment.context) return environment;
  if (environment.context === undefined) return { ...environment, context };
  throw new InvalidEnvironment(
    `environment '${environment.name}' belongs to the context '${environment.context}', not to '${context}': ` +
      "remove --context and KUBE_CONTEXT, or change the environment",
  );
}

/**
 * Keeps a server that checks no caller out of a cluster that nobody named.
 *
 * @param current the current context of the kubeconfig. @default - no kubeconfig chooses the cluster
 * @throws InvalidEnvironment if the environment would go to the current context
 */
export function checkContext(environment: Described, current: string | undefined): void {
  const off = authorizationOff(environment);
  if (off === undefined || environment.context !== undefined || current === undefined) return;
  throw new InvalidEnvironment(
    `environment '${environment.name}' lets anyone call (${off}), so it does not go to the context that happens to be ` +
      `current, '${current}': name the context with --context or KUBE_CONTEXT, or in the environment`,
  );
}
