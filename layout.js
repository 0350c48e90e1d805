/**
 * The parts of the repository from the top down, and the parts that each may import. All of them stand below it.
 * `npm run check` enforces both.
 *
 * @type {Readonly<Record<string, readonly string[]>>}
 */
export const parts = {
  test: [
    "bench",
    "package",
    "cli",
    "rehearse",
    "main.ts",
    "stacks",
    "release",
    "constructs",
    "plans",
    "kubeconfig",
    "environments",
    "environment",
    "examples",
    "app/index.ts",
    "app/bundle.ts",
    "app/src",
  ],
  bench: ["cli", "rehearse", "release", "environments", "environment", "app/src"],
  examples: ["index.ts", "environment", "app/index.ts"], // projects of users: they import the library by its name
  package: ["rehearse", "app/bundle.ts"], // what the published package contains, besides the compiled sources
  // The command line of the kit. It declares the commands; the parts do what they say.
  cli: ["init", "rehearse", "release", "kubeconfig", "environment", "app/bundle.ts"],
  init: ["release", "environment"], // a repository of a user's own, from template/
  rehearse: ["release", "environments", "environment", "app/src"],
  "index.ts": ["stacks", "constructs", "kubeconfig", "environment"], // the library
  "main.ts": ["stacks"],
  stacks: ["constructs", "kubeconfig", "environment"],
  release: ["kubeconfig", "plans", "environment"],
  // Constructs do not know environments. They share the names of objects with the release.
  constructs: ["environment/color.ts", "environment/names.ts", "environment/quantity.ts"],
  plans: [], // Terraform's plans in JSON: what a release and a review both read in them
  kubeconfig: [], // the cluster that kubectl would use
  environments: ["environment"], // the files that a user edits
  environment: [], // what an environment may say: its schema, its loader, and the names of its objects
  "app/index.ts": ["app/src"], // the bundled app, for tools of one's own
  "app/build.ts": ["app/bundle.ts"], // the image's build calls it
  "app/bundle.ts": [],
  "app/src": [],
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
export const exceptions = {
  // Benchmarks measure what tests check, with the same helpers.
  bench: ["test"],
};
