import { addedContainers } from "../containers.ts";
import { CONTAINER } from "../names.ts";
import { secretSetting } from "../secret-setting.ts";
import type { Problem, Rule } from "./rule.ts";

/** Names that the kit gives to containers. */
const TAKEN = [CONTAINER, "copy-sleep"];

const distinctContainers: Rule = {
  reads: ["pod.sidecars", "pod.initContainers"],
  problems: (environment) => {
    const names = [...TAKEN, ...addedContainers(environment).map(({ name }) => name)];
    return addedContainers(environment).flatMap(({ path, name }): Problem[] =>
      names.filter((other) => other === name).length === 1
        ? []
        : [{ path: [...path, "name"], message: `there is another container '${name}': use another name` }],
    );
  },
};

/** Containers of a pod share its network. */
const distinctPorts: Rule = {
  reads: ["server.port", "server.ports", "pod.sidecars"],
  problems: (environment) => {
    const { port, ports } = environment.server;
    const servers = Object.entries({ mcp: port, ...ports }).map(([name, number]) => ({
      of: "the server",
      name,
      number,
    }));
    const sidecars = environment.pod.sidecars.flatMap(({ name: of, ports }) =>
      Object.entries(ports).map(([name, number]) => ({ of: `sidecar '${of}'`, name, number })),
    );
    return sidecars.flatMap((mine): Problem[] => {
      const other = [...servers, ...sidecars].find(
        (it) => it.of !== mine.of && (it.number === mine.number || it.name === mine.name),
      );
      if (other === undefined) return [];
      const message = `port '${mine.name}' (${mine.number}) of ${mine.of} is also '${other.name}' (${other.number}) of ${other.of}`;
      return [{ path: ["pod", "sidecars"], message }];
    });
  },
};

const noPlainSecrets: Rule = {
  reads: ["pod.sidecars", "pod.initContainers", "app.notSecret"],
  problems: (environment) =>
    addedContainers(environment).flatMap(({ path, settings }) =>
      Object.entries(settings).flatMap(([name, value]): Problem[] => {
        const reason = environment.app.notSecret.includes(name) ? undefined : secretSetting(name, value);
        if (reason === undefined) return [];
        const message = `looks like a secret (${reason}): reference a Secret with settingsFrom, or say app.notSecret: ["${name}"]`;
        return [{ path: [...path, "settings", name], message }];
      }),
    ),
};

const oneSource: Rule = {
  reads: ["pod.sidecars", "pod.initContainers"],
  problems: (environment) =>
    addedContainers(environment).flatMap(({ path, settings, settingsFrom }) =>
      Object.keys(settingsFrom)
        .filter((name) => name in settings)
        .map((name) => ({ path: [...path, "settingsFrom", name], message: "is also in settings: remove one of them" })),
    ),
};

/** The annotations of an account that others made are theirs. */
const accountIsOurs: Rule = {
  reads: ["pod.serviceAccount"],
  problems: ({ pod: { serviceAccount } }) =>
    serviceAccount.existing === undefined || Object.keys(serviceAccount.annotations).length === 0
      ? []
      : [
          {
            path: ["pod", "serviceAccount", "annotations"],
            message: `'${serviceAccount.existing}' exists: annotate it where it is made, or remove 'existing'`,
          },
        ],
};

const distinctPaths: Rule = {
  reads: ["app.files", "app.dataVolume", "server.writableTmp"],
  problems: ({ app: { files } }) =>
    files.flatMap(({ path }, index): Problem[] =>
      files.findIndex((other) => other.path === path) === index
        ? []
        : [{ path: ["app", "files", index, "path"], message: `there is another file at '${path}'` }],
    ),
};

const strategyMoves: Rule = {
  reads: ["pod.strategy"],
  problems: ({ pod: { strategy } }) =>
    strategy.type === "RollingUpdate" && /^0%?$/.test(strategy.maxSurge) && /^0%?$/.test(strategy.maxUnavailable)
      ? [
          {
            path: ["pod", "strategy"],
            message: "maxSurge and maxUnavailable cannot both be 0: no pod could be replaced",
          },
        ]
      : [],
};

/** What each operator compares with. */
const VALUES = {
  In: [(count: number) => count > 0, "needs values"],
  NotIn: [(count: number) => count > 0, "needs values"],
  Exists: [(count: number) => count === 0, "takes no values"],
  DoesNotExist: [(count: number) => count === 0, "takes no values"],
  Gt: [(count: number) => count === 1, "needs one value"],
  Lt: [(count: number) => count === 1, "needs one value"],
} as const;

const operatorsWithValues: Rule = {
  reads: ["pod.affinity"],
  problems: ({ pod: { affinity } }) =>
    affinity.nodes.flatMap(({ match }, index) =>
      match.flatMap(({ key, operator, values }, at): Problem[] => {
        const [fits, wants] = VALUES[operator];
        const path = ["pod", "affinity", "nodes", index, "match", at, "values"];
        return fits(values.length)
          ? []
          : [{ path, message: `'${operator}' of '${key}' ${wants}, not ${values.length}` }];
      }),
    ),
};

export const podRules: readonly Rule[] = [
  distinctContainers,
  distinctPorts,
  noPlainSecrets,
  oneSource,
  accountIsOurs,
  distinctPaths,
  strategyMoves,
  operatorsWithValues,
];
