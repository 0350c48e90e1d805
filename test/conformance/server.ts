import { run } from "../../app/src/run.ts";
import { registerFixtures } from "./fixtures/index.ts";

// The app as it ships, in a process of its own, with what the referee asks for registered beside its own tools.
await run({ register: registerFixtures });
