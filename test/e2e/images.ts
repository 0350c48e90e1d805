import { mustRun, PROJECT } from "./command.ts";

/** What the image of a version is called; environments/local.ts starts with the first. */
export const imageOf = (version: string): string => `localhost/mcp-app:${version}`;

/**
 * Builds the app's image and puts it into the cluster.
 *
 * `E2E_DOCKER` is the Docker client, `E2E_BUILD_ARGS` more arguments for its `build` (other base images, where the public ones are
 * out of reach), and `E2E_LOAD_IMAGE` the command that takes an image's name and loads it, such as `kind load docker-image`.
 */
export async function buildAndLoad(version: string): Promise<void> {
  const buildArgs = [`--build-arg`, `VERSION=${version}`, ...words(process.env.E2E_BUILD_ARGS)];
  await buildImage(imageOf(version), { folder: PROJECT, buildArgs });
}

/** Builds the image of a folder with a Dockerfile, and puts it into the cluster. */
export async function buildImage(
  name: string,
  { folder, buildArgs }: { readonly folder: string; readonly buildArgs: readonly string[] },
): Promise<void> {
  await mustRun(process.env.E2E_DOCKER ?? "docker", ["build", "--tag", name, ...buildArgs, "."], {}, folder);
  await loadImage(name);
}

async function loadImage(name: string): Promise<void> {
  const [load, ...args] = words(process.env.E2E_LOAD_IMAGE);
  if (load !== undefined) await mustRun(load, [...args, name]);
}

/** Puts the image of a version into the cluster under another name too. */
export async function loadAs(version: string, name: string): Promise<void> {
  await mustRun(process.env.E2E_DOCKER ?? "docker", ["tag", imageOf(version), name]);
  await loadImage(name);
}

export const words = (text = "") => text.split(/\s+/).filter((word) => word !== "");
