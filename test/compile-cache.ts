import { tmpdir } from "node:os";
import { join } from "node:path";

/** Where the processes that tests start keep their compiled code: starting is most of what many of them do. */
export const COMPILE_CACHE = join(tmpdir(), "bluegreen-tests-compile-cache");
