import { askedPorts } from "../asked-ports.ts";
import { secondsOf } from "../duration.ts";
import { secretSetting, secretValue } from "../secret-setting.ts";
import { kitVariables } from "../kit-variables.ts";
import type { Problem, Rule } from "./rule.ts";

const serverCheck: Rule = {
  reads: ["app.settings", "app.settingsFrom", "server.checkSettings"],
  problems: ({ app: { settings, settingsFrom }, server: { checkSettings } }) =>
    (checkSettings?.(settings, Object.keys(settingsFrom)) ?? []).map((message) => ({
      path: ["app", "settings"],
      message,
    })),
};

/** A variable that the kit sets itself, or that the server's description keeps from environments. */
const reserved: Rule = {
  reads: ["app.settings", "app.settingsFrom", "server.variables", "server.reserved"],
  problems: ({ app: { settings, settingsFrom }, server }) => {
    const reasons = new Map([...kitVariables(server.variables), ...Object.entries(server.reserved)]);
    // A reserved variable may hold a secret, and as a reference it may.
    const kits = kitVariables(server.variables);
    const given = [
      ...Object.keys(settings).map((name) => ["settings", name, reasons.get(name)] as const),
      ...Object.keys(settingsFrom).map((name) => ["settingsFrom", name, kits.get(name)] as const),
    ];
    return given.flatMap(([group, name, why]): Problem[] =>
      why === undefined ? [] : [{ path: ["app", group, name], message: `cannot be set here: ${why}` }],
    );
  },
};

const noPlainSecrets: Rule = {
  reads: ["app.settings", "app.notSecret"],
  problems: ({ app: { settings, notSecret } }) =>
    Object.entries(settings).flatMap(([name, value]) => {
      const reason = notSecret.includes(name) ? undefined : secretSetting(name, value);
      if (reason === undefined) return [];
      const message =
        `looks like a secret (${reason}), and a plain setting is readable in states, plans and pods: remove it here and ` +
        `reference a Secret with app.settingsFrom: { ${name}: { secret: "…", key: "…" } }, ` +
        `or say app.notSecret: ["${name}"]`;
      return [{ path: ["app", "settings", name], message }];
    }),
};

/** Arguments are as readable as settings. */
const noSecretArguments: Rule = {
  reads: ["server.command", "server.args"],
  problems: ({ server }) =>
    (["command", "args"] as const).flatMap((field) =>
      (server[field] ?? []).flatMap((value, index): Problem[] => {
        const reason = secretValue(value);
        if (reason === undefined) return [];
        const message = `looks like a secret (${reason}): reference it with app.settingsFrom and write $(NAME) here`;
        return [{ path: ["server", field, index], message }];
      }),
    ),
};

const notSecretNamesSettings: Rule = {
  reads: ["app.settings", "app.notSecret"],
  problems: ({ app: { settings, notSecret } }) =>
    notSecret.flatMap((name, index): Problem[] =>
      name in settings ? [] : [{ path: ["app", "notSecret", index], message: `'${name}' is not among app.settings` }],
    ),
};

const oneSource: Rule = {
  reads: ["app.settings", "app.settingsFrom"],
  problems: ({ app: { settings, settingsFrom } }) =>
    Object.keys(settingsFrom)
      .filter((name) => name in settings)
      .map((name) => ({ path: ["app", "settingsFrom", name], message: "is also in app.settings: remove one of them" })),
};

/** The grace of a pod has to hold the durations that its settings name. */
const durations: Rule = {
  reads: ["app.settings", "server.stop"],
  problems: ({ app: { settings }, server: { stop } }) =>
    Object.entries({ ...stop.durations, ...settings })
      .filter(([name, value]) => name in stop.durations && secondsOf(value) === undefined)
      .map(([name, value]) => ({
        path: name in settings ? ["app", "settings", name] : ["server", "stop", "durations", name],
        message: `must be a whole number and a unit ('500ms', '20s', '5m'), not '${value}'`,
      })),
};

/** A network policy opens the ports that settings name. */
const portsKnown: Rule = {
  reads: ["app.settings", "server.asks"],
  problems: ({ app: { settings }, server: { asks } }) =>
    asks.flatMap((name): Problem[] => {
      const value = settings[name] ?? "";
      if (askedPorts(value) !== undefined) return [];
      const message = `must name a port or be a URL, such as 'collector:4317' or 'http://collector:4318', not '${value}'`;
      return [{ path: ["app", "settings", name], message }];
    }),
};

export const settingsRules: readonly Rule[] = [
  serverCheck,
  reserved,
  noPlainSecrets,
  noSecretArguments,
  notSecretNamesSettings,
  oneSource,
  durations,
  portsKnown,
];
