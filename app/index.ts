/**
 * The bundled app for tools of one's own: `await run({ tools: (bundled) => [...bundled, mine] })`.
 */
export { run } from "./src/run.ts";
export { answer, type Tool, type ToolContext } from "./src/tools/tool.ts";
export { argumentsOf } from "./src/tools/arguments.ts";
export { ToolInputError } from "./src/errors/tool-input-error.ts";
export type { Services } from "./src/services.ts";
export type { Call } from "./src/resilience/call.ts";
