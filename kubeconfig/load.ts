import { readFileSync } from "node:fs";
import { homedir } from "node:os";
import { delimiter, dirname, join, resolve } from "node:path";
import { z } from "zod";
import { InvalidKubeconfig } from "./invalid-kubeconfig.ts";
import {
  kubeconfigSchema,
  NO_CLUSTER,
  NO_CONTEXT,
  NO_USER,
  type ClusterEntry,
  type ContextEntry,
  type KubeconfigFile,
  type UserEntry,
} from "./schema.ts";
import { parseYaml } from "./yaml.ts";

/** Where a command runs: its variables, and the folder that relative paths start from. */
export interface Surroundings {
  readonly variables: Readonly<Record<string, string | undefined>>;
  /** @default - the folder of the process */
  readonly folder?: string;
  /** Where a pod finds the credentials of its service account. @default Kubernetes' own folder */
  readonly serviceAccount?: string;
}

/** One entry of a kubeconfig, with the absolute paths of all files that define its name. The first one counts. */
export interface Named<T> {
  readonly entry: T;
  readonly definedIn: readonly string[];
}

/** All files of KUBECONFIG as one. */
export interface Kubeconfig {
  /** The files that exist, absolute, in the order of KUBECONFIG. */
  readonly files: readonly string[];
  /** Empty when no file has one. */
  readonly currentContext: string;
  readonly clusters: ReadonlyMap<string, Named<ClusterEntry>>;
  readonly users: ReadonlyMap<string, Named<UserEntry>>;
  readonly contexts: ReadonlyMap<string, Named<ContextEntry>>;
}

/** The files that kubectl would read, absolute, whether or not they exist. */
export function kubeconfigFiles({ variables, folder = process.cwd() }: Surroundings): readonly string[] {
  const named = (variables.KUBECONFIG ?? "").split(delimiter).filter((file) => file !== "");
  // An empty variable counts as absent. One of colons alone names no file at all.
  if ((variables.KUBECONFIG ?? "") === "") return [join(variables.HOME ?? homedir(), ".kube", "config")];
  return [...new Set(named.map((file) => resolve(folder, file)))];
}

/**
 * Reads and merges the files as client-go does: a missing file is ignored, the first value of a field wins, and so does the
 * first entry of a name, as a whole.
 *
 * @see https://kubernetes.io/docs/concepts/configuration/organize-cluster-access-kubeconfig/#merging-kubeconfig-files
 * @throws InvalidKubeconfig for a file that cannot be read or understood
 */
export function loadKubeconfig(surroundings: Surroundings): Kubeconfig {
  const files: string[] = [];
  const clusters = new Map<string, Named<ClusterEntry>>();
  const users = new Map<string, Named<UserEntry>>();
  const contexts = new Map<string, Named<ContextEntry>>();
  let currentContext = "";
  for (const file of kubeconfigFiles(surroundings)) {
    const text = readIfThere(file);
    if (text === undefined) continue;
    files.push(file);
    const config = understand(file, text);
    currentContext ||= config["current-context"];
    collect(clusters, file, "clusters", config.clusters, ({ cluster }) => absoluteCluster(file, cluster ?? NO_CLUSTER));
    collect(users, file, "users", config.users, ({ user }) => absoluteUser(file, user ?? NO_USER));
    collect(contexts, file, "contexts", config.contexts, ({ context }) => context ?? NO_CONTEXT);
  }
  return { files, currentContext, clusters, users, contexts };
}

function readIfThere(file: string): string | undefined {
  try {
    return readFileSync(file, "utf8");
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === "ENOENT") return undefined;
    throw new InvalidKubeconfig(`the kubeconfig '${file}' cannot be read: ${message}`);
  }
}

function understand(file: string, text: string): KubeconfigFile {
  let document: unknown;
  try {
    document = parseYaml(text) ?? {};
  } catch (error) {
    const [problem = ""] = error instanceof Error ? error.message.split("\n") : [];
    throw new InvalidKubeconfig(`the kubeconfig '${file}' is not YAML: ${problem}`);
  }
  const result = kubeconfigSchema.safeParse(document);
  if (result.success) return result.data;
  throw new InvalidKubeconfig(
    `the kubeconfig '${file}' is not one: ${z.prettifyError(result.error).replaceAll(/\s*\n\s*/g, " ")}`,
  );
}

function collect<T, Item extends { readonly name: string }>(
  entries: Map<string, Named<T>>,
  file: string,
  list: string,
  items: readonly Item[],
  entryOf: (item: Item) => T,
): void {
  for (const item of items) {
    const earlier = entries.get(item.name);
    if (earlier?.definedIn.includes(file) === true) {
      throw new InvalidKubeconfig(`the kubeconfig '${file}' has two ${list} named '${item.name}'; remove one`);
    }
    const definedIn = [...(earlier?.definedIn ?? []), file];
    entries.set(item.name, { entry: earlier?.entry ?? entryOf(item), definedIn });
  }
}

/** Paths in a kubeconfig start at its own folder. */
const from = (file: string, path: string) => (path === "" ? "" : resolve(dirname(file), path));

const absoluteCluster = (file: string, cluster: ClusterEntry): ClusterEntry => ({
  ...cluster,
  "certificate-authority": from(file, cluster["certificate-authority"]),
});

const absoluteUser = (file: string, user: UserEntry): UserEntry => ({
  ...user,
  "client-certificate": from(file, user["client-certificate"]),
  "client-key": from(file, user["client-key"]),
  tokenFile: from(file, user.tokenFile),
  // A command without a slash is looked up in PATH.
  exec:
    user.exec?.command.includes("/") === true ? { ...user.exec, command: from(file, user.exec.command) } : user.exec,
});
