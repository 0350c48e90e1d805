import type { PendingChange } from "../ports/staging.ts";

type Settings = Readonly<Record<string, string>>;

/** The settings that differ, in the order of their names. */
export function settingsDifference(running: Settings, wanted: Settings): PendingChange[] {
  const names = [...new Set([...Object.keys(running), ...Object.keys(wanted)])].sort();
  return names
    .filter((setting) => running[setting] !== wanted[setting])
    .map((setting) => ({ setting, running: running[setting], wanted: wanted[setting] }));
}
