/** @type {import("jest").Config} */
export default {
  testEnvironment: "node",
  // In the repository, `mcp-bluegreen` is its sources.
  testEnvironmentOptions: { customExportConditions: ["mcp-bluegreen-source", "node", "node-addons"] },
  testMatch: ["<rootDir>/test/**/*.test.ts"],
  extensionsToTreatAsEsm: [".ts"],
  transform: {
    "\\.ts$": [
      "@swc/jest",
      { jsc: { target: "es2024", parser: { syntax: "typescript" } }, module: { type: "es6" }, sourceMaps: "inline" },
    ],
  },
  modulePathIgnorePatterns: ["<rootDir>/cdktf.out", "<rootDir>/.local", "<rootDir>/dist", "<rootDir>/template"],
  // Each file that imports a provider's classes leaves its heap behind.
  workerIdleMemoryLimit: "1GB",
  // Tests start processes, and the machine may be busy with others.
  testTimeout: 20_000,
  // Half of the time a test waits, for a process to start or a timeout to pass.
  maxWorkers: 3,
};
