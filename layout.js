/**
 * The map of the house: every part of the repository, and the parts that it may import. `npm run check` enforces it.
 *
 * @type {Readonly<Record<string, readonly string[]>>}
 */
export const parts = {
  "app/src": [],
  "app/build.ts": ["app/bundle.ts"], // the image's build calls it
  "app/bundle.ts": [],
  // The command line of the kit. It declares the commands; the parts do what they say.
  cli: ["release", "rehearse", "environment", "kubeconfig", "app/bundle.ts"],
  environment: [], // what an environment may say: its schema, its loader, and the names of its objects
  environments: ["environment"], // the files that a user edits
  constructs: ["environment"],
  stacks: ["constructs", "environment", "kubeconfig"],
  "main.ts": ["stacks", "environment", "kubeconfig"],
  kubeconfig: [], // the cluster that kubectl would use
  release: ["environment", "kubeconfig"],
  rehearse: ["release", "environment", "environments", "app/src"],
  bench: ["cli", "release", "rehearse", "environment", "environments", "app/src", "test"],
  // Tests may import everything, and nothing but benchmarks imports tests.
  test: [
    "bench",
    "cli",
    "rehearse",
    "release",
    "kubeconfig",
    "main.ts",
    "stacks",
    "constructs",
    "environments",
    "environment",
    "app/src",
  ],
};

/**
 * The parts of the app, from the top down: each may import those below it.
 *
 * @type {readonly string[]}
 */
export const app = [
  "main.ts",
  "run.ts", // the app as a process
  "app.ts", // the parts put together
  "server", // HTTP, MCP, admin port, drain
  "resources", // one file per resource
  "tools", // one file per tool
  "services.ts", // one of each of these for the process
  "auth", // tokens and their issuer's keys
  "store", // durable writes, and the queues for them while the store is down
  "weather", // Open-Meteo, with fallbacks
  "cache", // memory tier, Redis tier
  "redis", // state that pods share
  "outbound", // calls to hosts that clients name
  "telemetry", // metrics, traces, logs
  "health", // checks and readiness
  "resilience", // breaker, bulkhead, retry, timeout, rate limiter, load balancer, composition
  "config.ts", // all of them
  "config", // one file per group of environment variables
  "errors", // what a caller did wrong
  "json", // integers and text that pass unchanged
  "collected-bytes.ts", // bytes that arrive in pieces
  "version.ts",
];

/**
 * Files that a part imports although the map does not allow it, and that are to move.
 *
 * @type {Readonly<Record<string, readonly string[]>>}
 */
export const exceptions = {};
