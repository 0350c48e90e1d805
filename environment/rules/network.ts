import type { Problem, Rule } from "./rule.ts";

/** Names of the Services that every app has. */
const TAKEN = ["blue", "green", "preview"];

const ownServices: Rule = {
  reads: ["services", "server.port", "server.ports", "pod.sidecars"],
  problems: ({ services, server, pod }) => {
    const ports = [
      "mcp",
      ...Object.keys(server.ports),
      ...pod.sidecars.flatMap((sidecar) => Object.keys(sidecar.ports)),
    ];
    return Object.entries(services).flatMap(([name, { targetPort }]): Problem[] => {
      if (TAKEN.includes(name))
        return [{ path: ["services", name], message: `'${name}' is a Service of the kit: use another name` }];
      if (typeof targetPort !== "string" || ports.includes(targetPort)) return [];
      const message = `there is no port '${targetPort}'; there are: ${ports.join(", ")}`;
      return [{ path: ["services", name, "targetPort"], message }];
    });
  },
};

/** A volume in the place of another, or of files, would hide it. */
const distinctFolders: Rule = {
  reads: ["volumes", "app.files", "app.dataVolume"],
  problems: ({ volumes, app }) => {
    const taken = [...app.files.map(({ path }) => path), ...(app.dataVolume === undefined ? [] : ["/data"])];
    const entries = Object.entries(volumes);
    return entries.flatMap(([name, { path }]): Problem[] => {
      const isTwice = taken.includes(path) || entries.some(([other, volume]) => other !== name && volume.path === path);
      return isTwice ? [{ path: ["volumes", name, "path"], message: `there is something else at '${path}'` }] : [];
    });
  },
};

const volumeNames: Rule = {
  reads: ["volumes", "app.dataVolume"],
  problems: ({ volumes, app: { dataVolume } }) =>
    Object.keys(volumes)
      .filter((name) => /^(?:tmp|pause|files-\d+)$/.test(name) || (name === "data" && dataVolume !== undefined))
      .map((name) => ({ path: ["volumes", name], message: `'${name}' is a volume of the kit: use another name` })),
};

export const networkRules: readonly Rule[] = [ownServices, distinctFolders, volumeNames];
