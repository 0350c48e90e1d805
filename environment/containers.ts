import type { Environment } from "./environment.ts";

type Settings = Environment["app"]["settings"];
type Resources = Environment["app"]["resources"];

/** What rules look at in each container of a pod, and where it is in the environment file. */
export interface DescribedContainer {
  readonly path: readonly (string | number)[];
  readonly name: string;
  readonly image: string;
  readonly settings: Settings;
  readonly settingsFrom: Environment["app"]["settingsFrom"];
  readonly resources: Resources;
  readonly ports: Readonly<Record<string, number>>;
}

/** The containers that an environment adds to the server's. */
export const addedContainers = ({ pod }: Environment): DescribedContainer[] =>
  (["initContainers", "sidecars"] as const).flatMap((group) =>
    pod[group].map((container, index) => ({ path: ["pod", group, index], ...container })),
  );
