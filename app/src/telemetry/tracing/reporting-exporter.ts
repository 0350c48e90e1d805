import type { ReadableSpan, SpanExporter } from "@opentelemetry/sdk-trace";
import type { Logger } from "../logger.ts";

type Done = Parameters<SpanExporter["export"]>[1];

/** Logs when spans can no longer be sent and when they can again, once each. */
export class ReportingExporter implements SpanExporter {
  readonly #exporter: SpanExporter;
  readonly #logger: Logger;
  #failed = false;

  constructor(exporter: SpanExporter, logger: Logger) {
    this.#exporter = exporter;
    this.#logger = logger;
  }

  export(spans: ReadableSpan[], done: Done): void {
    this.#exporter.export(spans, (result) => {
      this.#report(result.error);
      done(result);
    });
  }

  shutdown(): Promise<void> {
    return this.#exporter.shutdown();
  }

  #report(error: Error | undefined): void {
    const failed = error !== undefined;
    if (failed === this.#failed) return;
    this.#failed = failed;
    if (failed) this.#logger.warn({ reason: error.message }, "traces cannot be sent to the collector and are dropped");
    else this.#logger.info("traces reach the collector again");
  }
}
