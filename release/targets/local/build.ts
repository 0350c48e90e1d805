import { access } from "node:fs/promises";
import { UsageError } from "../../errors.ts";

/** An artifact that is not there. */
export class MissingBuild extends UsageError {
  constructor(image: string) {
    super(`there is no build at '${image}'; run 'npm run build' first, or name another bundle with --image`);
  }
}

/** @throws MissingBuild when there is no bundle at this path */
export async function mustExist(image: string): Promise<void> {
  try {
    await access(image);
  } catch {
    throw new MissingBuild(image);
  }
}
