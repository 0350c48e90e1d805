import { addedContainers } from "../containers.ts";
import { imageProblem } from "../image.ts";
import type { Problem, Rule } from "./rule.ts";

const problemOf = (path: readonly (string | number)[], image: string, policy: "digest" | "any"): Problem[] => {
  const message = imageProblem(image, policy);
  return message === undefined ? [] : [{ path, message }];
};

/** Images are pinned where the environment says so. */
export const imageRules: readonly Rule[] = [
  {
    reads: ["app.image", "app.imagePolicy"],
    problems: ({ app }) => problemOf(["app", "image"], app.image, app.imagePolicy),
  },
  {
    reads: ["app.imagePolicy", "server.stop"],
    problems: ({ app, server: { stop } }) =>
      stop.pause === "copied" ? problemOf(["server", "stop", "image"], stop.image, app.imagePolicy) : [],
  },
  {
    reads: ["app.imagePolicy", "pod.sidecars", "pod.initContainers"],
    problems: (environment) =>
      addedContainers(environment).flatMap(({ path, image }) =>
        problemOf([...path, "image"], image, environment.app.imagePolicy),
      ),
  },
];
