import { randomBytes, randomUUID } from "node:crypto";
import {
  createMcpHandler,
  type McpServer,
  type RequestStateCodec,
  type ServerNotifier,
} from "@modelcontextprotocol/server";
import type { Authorization } from "./auth/authorization.ts";
import type { Config } from "./config.ts";
import { CIRCUIT_BREAKER_STATS } from "./resources/circuit-breaker-stats.ts";
import { createResources } from "./resources/index.ts";
import { createServices, type Services } from "./services.ts";
import { EventBus } from "./redis/event-bus.ts";
import { createAdminPort } from "./server/admin-port.ts";
import { Admission } from "./server/admission.ts";
import { BodyBudget } from "./server/body-budget.ts";
import { Connections } from "./server/connections.ts";
import { drain } from "./server/drain.ts";
import { listen } from "./server/listen.ts";
import { createServerFactory } from "./server/mcp.ts";
import { createMcpPort } from "./server/mcp-port.ts";
import { serverMetrics } from "./server/server-metrics.ts";
import { breakerMetrics } from "./telemetry/breaker-metrics.ts";
import { createLogger, type Logger, type LogSink } from "./telemetry/logger.ts";
import { Metrics } from "./telemetry/metrics.ts";
import { NO_TRACING, type Tracing } from "./telemetry/request-trace.ts";
import { createTools } from "./tools/index.ts";
import type { Tool } from "./tools/tool.ts";

/** The parts of the app that a registration may use. */
export interface RegisterContext {
  /**
   * Signs the state that a client carries to the next round of a call, for any pod with the key.
   */
  readonly requestState: RequestStateCodec;
  /** Notifies clients that listen for changes. */
  readonly notify: ServerNotifier;
}

/** Listen streams of a pod, or half of its connections if that is less. */
const MAX_STREAMS = 1024;

export interface AppOptions {
  readonly config: Config;
  /** Adds, removes or wraps tools; gets the bundled ones that `TOOLS` names. @default - the tools as they are */
  readonly tools?: (tools: readonly Tool[]) => readonly Tool[];
  /**
   * Registers prompts, templates, completions, and tools that ask the client. Called for each
   * request, so it has to be fast.
   *
   * @default - nothing more
   */
  readonly register?: (server: McpServer, context: RegisterContext) => void;
  /** @default - JSON lines on stdout */
  readonly log?: LogSink;
}

export interface App {
  readonly mcpPort: number;
  readonly adminPort: number;
  /**
   * Drains and stops. Resolves with the number of connections whose calls were cut off. A second
   * call joins the first.
   */
  close(): Promise<number>;
}

/**
 * Starts the app and resolves once both ports answer.
 *
 * @throws CannotListen when a port is taken
 */
export async function startApp({
  config,
  tools = (all) => all,
  register = () => undefined,
  log = createLogger(config),
}: AppOptions): Promise<App> {
  const { logger } = log;
  const services = await createServices(config, log);
  const { health } = services;
  const tracing = await startTracing(config, logger);
  const metrics = new Metrics(config);
  metrics.add(
    ...breakerMetrics(services.breakers, (breaker) => services.outbound.upstreams.isFoundByClient(breaker)),
    ...services.metrics,
  );
  const factory = createServerFactory({
    ...config,
    tools: tools(createTools(services, config.bundledTools)),
    resources: createResources(services),
    requestStateKey: config.requestStateKey ?? makeUpKey(log),
    tracing,
    observe: (operation) => {
      metrics.observe(operation);
    },
    unexpected: (error) => {
      const reference = randomUUID();
      logger.error({ err: error, reference }, "a tool or a resource failed");
      return reference;
    },
    register: (server, requestState) => {
      register(server, { requestState, notify: handler.notify });
    },
  });
  const bus = new EventBus(services.redis);
  const handler = createMcpHandler(factory, {
    legacy: "stateless",
    bus,
    // Streams have no end and could use all connections permanently.
    maxSubscriptions: Math.min(MAX_STREAMS, Math.ceil(config.maxConnections / 2)),
    onerror: (error) => {
      logger.debug({ reason: error.message }, "refused");
    },
  });
  services.breakers.onEach((breaker) => {
    breaker.events.on((event) => {
      if (event.type !== "transition") return;
      const { name, from, to, reason, error } = event;
      logger.warn({ breaker: name, from, to, reason, err: error }, "breaker changed state");
      bus.publishHere({ kind: "resource_updated", uri: CIRCUIT_BREAKER_STATS });
    });
  });
  const connections = new Connections({
    maxAge: config.connectionMaxAge,
    keepAliveTimeout: config.keepAliveTimeout,
    max: config.maxConnections,
  });
  const authorization = await authorize(config, services, log);
  const bodies = new BodyBudget(config);
  const admission = new Admission(config.admissionTime);
  metrics.add(...serverMetrics(connections, admission, bodies));
  const mcpServer = createMcpPort({ config, authorization, handler, connections, bodies, admission, logger });
  const adminServer = createAdminPort({ health, metrics, logger });

  const [adminPort, mcpPort] = await openPorts().catch(async (error: unknown) => {
    adminServer.close();
    await services.close();
    throw error;
  });
  await services.warmUp.run(config.cache.warm, ({ source, argument }, error) => {
    logger.warn({ err: error, source, argument }, "a cache could not be warmed");
  });
  health.started();
  // Logged at every level, because port 0 is assigned at the start.
  logger.child({}, { level: "info" }).info({ mcpPort, adminPort }, "listening");

  async function openPorts(): Promise<[number, number]> {
    const admin = await listen(adminServer, "ADMIN_PORT", config.adminPort, config.host);
    return [admin, await listen(mcpServer, "MCP_PORT", config.mcpPort, config.host)];
  }

  let draining: Promise<number> | undefined;
  return {
    mcpPort,
    adminPort,
    close: () =>
      (draining ??= drain({
        mcpPort: mcpServer,
        adminPort: adminServer,
        handler,
        connections,
        health,
        logger,
        delay: config.drainDelay,
        timeout: config.drainTimeout,
      })
        .finally(() => services.close())
        .finally(() => authorization?.close())
        .finally(() => tracing.close())
        .finally(log.flush)),
  };
}

/** Loads the code for tokens only if it is used. */
async function authorize(
  { auth, breakers }: Config,
  services: Services,
  { logger }: LogSink,
): Promise<Authorization | undefined> {
  if (auth.mode === "off") return undefined;
  const { createAuthorization } = await import("./auth/create-authorization.ts");
  return createAuthorization(auth, breakers.token_keys, services, logger);
}

/** Loads OpenTelemetry only if traces are kept, because it takes time and memory. */
async function startTracing(config: Config, logger: Logger): Promise<Tracing> {
  if (config.tracing === undefined) return NO_TRACING;
  const opentelemetry = await import("./telemetry/tracing/opentelemetry.ts");
  return opentelemetry.startTracing(config.tracing, config, logger);
}

function makeUpKey({ logger }: LogSink): string {
  logger.warn(
    "REQUEST_STATE_KEY is not set: a random one is used, so calls of several rounds fail when another pod gets the next round",
  );
  return randomBytes(32).toString("hex");
}
