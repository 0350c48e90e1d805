#!/usr/bin/env node
// These lines have to run on any Node: nothing is imported before the version is known to be new enough.
const [major = 0, minor = 0] = process.versions.node.split(".").map(Number);
if (major < 22 || (major === 22 && minor < 19)) {
  process.stderr.write(`mcp-bluegreen needs Node 22.19 or later; this is Node ${process.versions.node}\n`);
  process.exit(2);
}
const { enableCompileCache } = await import("node:module");
// Starting is most of the time that many commands take.
enableCompileCache();
const { main } = await import("./main.ts");
await main(process.argv.slice(2));
