import { mustRun } from "./command.ts";

/** What the image of a version is called; environments/local.ts starts with the first. */
export const imageOf = (version: string): string => `localhost/mcp-app:${version}`;

/**
 * Builds the app's image and puts it into the cluster.
 *
 * `E2E_DOCKER` is the Docker client, `E2E_BUILD_ARGS` more arguments for its `build` (other base images, where the public ones are
 * out of reach), and `E2E_LOAD_IMAGE` the command that takes an image's name and loads it, such as `kind load docker-image`.
 */
export async function buildAndLoad(version: string): Promise<void> {
  const docker = process.env.E2E_DOCKER ?? "docker";
  const more = words(process.env.E2E_BUILD_ARGS);
  await mustRun(docker, ["build", "--tag", imageOf(version), "--build-arg", `VERSION=${version}`, ...more, "."]);
  const [load, ...args] = words(process.env.E2E_LOAD_IMAGE);
  if (load !== undefined) await mustRun(load, [...args, imageOf(version)]);
}

/** Puts the image of a version into the cluster under another name too. */
export async function loadAs(version: string, name: string): Promise<void> {
  await mustRun(process.env.E2E_DOCKER ?? "docker", ["tag", imageOf(version), name]);
  const [load, ...args] = words(process.env.E2E_LOAD_IMAGE);
  if (load !== undefined) await mustRun(load, [...args, name]);
}

const words = (text = "") => text.split(/\s+/).filter((word) => word !== "");
