import { imageProblem } from "../image.ts";
import type { Rule } from "./rule.ts";

/** Images are pinned where the environment says so. */
export const pinned: Rule = {
  reads: ["app.image", "app.imagePolicy", "server.stop"],
  problems: ({ app, server: { stop } }) =>
    [
      { path: ["app", "image"], image: app.image },
      ...(stop.pause === "copied" ? [{ path: ["server", "stop", "image"], image: stop.image }] : []),
    ].flatMap(({ path, image }) => {
      const message = imageProblem(image, app.imagePolicy);
      return message === undefined ? [] : [{ path, message }];
    }),
};
