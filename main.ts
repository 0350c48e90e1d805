import { synthesize } from "./stacks/synthesize.ts";

await synthesize();
