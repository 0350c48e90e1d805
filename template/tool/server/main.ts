import { run } from "mcp-bluegreen/app";
import { wordCount } from "./word-count.ts";

// Your tools beside the bundled ones: `TOOLS` in an environment's settings says which of the bundled ones exist.
await run({ tools: (bundled) => [...bundled, wordCount] });
