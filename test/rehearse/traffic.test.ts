import { createServer, type RequestListener, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, beforeAll, afterAll, describe, expect, it } from "@jest/globals";
import type { App } from "../../app/src/app.ts";
import type { Tool } from "../../app/src/tools/tool.ts";
import type { Era } from "../../rehearse/traffic/caller.ts";
import { Callers } from "../../rehearse/traffic/callers.ts";
import type { ConnectionKind } from "../../rehearse/traffic/connection.ts";
import { ASKED_FOR, pulse, weatherIn } from "../../rehearse/traffic/question.ts";
import type { FailedCall, TrafficSample } from "../../rehearse/traffic/sample.ts";
import { Sampler } from "../../rehearse/traffic/sampler.ts";
import { wrapWeather } from "../../rehearse/versions/wrap-weather.ts";
import { startWeather, type WeatherStandIn } from "../../rehearse/weather/stand-in.ts";
import { startTestApp } from "../app/running-app.ts";

const questions = ASKED_FOR.map(weatherIn);

describe("the traffic", () => {
  let weather: WeatherStandIn;
  const closing: (() => Promise<unknown>)[] = [];

  beforeAll(async () => {
    weather = await startWeather();
  });
  afterEach(async () => {
    await Promise.all(closing.splice(0).map((close) => close()));
  });
  afterAll(() => weather.close());

  const app = async (tools?: (tools: readonly Tool[]) => readonly Tool[]): Promise<App> => {
    const started = await startTestApp(
      { WEATHER_GEOCODING_URL: weather.geocodingUrl, WEATHER_FORECAST_URL: weather.forecastUrl },
      tools && { tools },
    );
    closing.push(() => started.close());
    return started;
  };

  const server = async (listener: RequestListener): Promise<number> => {
    const started: Server = createServer(listener);
    await new Promise<void>((resolve) => started.listen(0, "127.0.0.1", resolve));
    closing.push(
      () =>
        new Promise((resolve) => {
          started.close(resolve);
          started.closeAllConnections();
        }),
    );
    return (started.address() as AddressInfo).port;
  };

  /** Calls until a number of calls has ended, and says how they ended. */
  const call = async (
    port: number,
    {
      calls = 1,
      era = "legacy",
      connection = "fresh",
    }: { calls?: number; era?: Era; connection?: ConnectionKind } = {},
  ): Promise<{ sample: TrafficSample; failed: FailedCall[] }> => {
    const stop = new AbortController();
    const failed: FailedCall[] = [];
    const samples: TrafficSample[] = [];
    const sampler = new Sampler((report) => {
      if (report.type === "failed") failed.push(report.call);
      if (report.type === "sample") samples.push(report.sample);
    });
    let asked = 0;
    const callers = new Callers({
      url: new URL(`http://127.0.0.1:${port}/mcp`),
      connection,
      era,
      least: 1,
      most: 1,
      line: calls,
      sampler: {
        answered: (answered) => {
          sampler.answered(answered);
          if (++asked >= calls) stop.abort();
        },
        failed: (failure) => {
          sampler.failed(failure);
          if (++asked >= calls) stop.abort();
        },
        sessionEnded: () => undefined,
        dropped: () => undefined,
      },
      signal: stop.signal,
      next: () => questions[asked % questions.length] ?? pulse,
    });
    await callers.open();
    for (let call = 0; call < calls; call++) callers.arrive(performance.now());
    await callers.ended();
    sampler.flush(callers.unanswered);
    const [sample] = samples;
    if (sample === undefined) throw new Error("a flush reports a window, even an empty one");
    return { sample, failed };
  };

  it.each([
    ["legacy", "fresh"],
    ["legacy", "kept"],
    ["modern", "fresh"],
    ["modern", "kept"],
  ] as const)("counts right answers by color, version and source: %s era, %s connections", async (era, connection) => {
    const { mcpPort } = await app();
    const { sample, failed } = await call(mcpPort, { calls: 5, era, connection });

    expect(failed).toEqual([]);
    expect(sample.callers).toEqual({ [`${connection} ${era}`]: 5 });
    expect(sample.colors.green).toMatchObject({ calls: 5, failures: 0, sources: { live: 5 } });
    expect(Object.values(sample.colors.green.versions)).toEqual([5]);
    expect(sample.colors.green.latencies).toHaveLength(5);
  });

  it("sees an answer in the wrong unit", async () => {
    const { mcpPort } = await app(
      wrapWeather(async (answer) => {
        const { content } = await answer();
        const structuredContent = { city: "Buenos Aires", temperatureCelsius: 71.2, source: "live" };
        return { content, structuredContent };
      }),
    );
    const { failed } = await call(mcpPort);

    expect(failed).toMatchObject([
      { failure: "wrong-answer", color: "green", message: expect.stringContaining("71.2") },
    ]);
  });

  it("sees a tool that says it failed", async () => {
    const { mcpPort } = await app(
      wrapWeather(() => Promise.resolve({ isError: true, content: [{ type: "text", text: "no luck" }] })),
    );

    expect((await call(mcpPort)).failed).toMatchObject([
      { failure: "tool", message: expect.stringContaining("no luck") },
    ]);
  });

  it("sees a tool that is not there", async () => {
    const { mcpPort } = await app((tools) => tools.filter(({ name }) => name !== "get_weather_with_fallback"));

    expect((await call(mcpPort)).failed).toMatchObject([{ failure: expect.stringMatching(/^(protocol|tool)$/) }]);
  });

  it("sees a refused connection", async () => {
    const gone = await app();
    await gone.close();

    expect((await call(gone.mcpPort)).failed).toMatchObject([
      { failure: "connection", message: expect.stringContaining("ECONNREFUSED") },
    ]);
  });

  it("sees a server that dies in the middle of a call", async () => {
    const { mcpPort } = await app();
    let requests = 0;
    // In front of the app: the handshake gets through, then every connection dies with half an answer.
    const front = await server((request, response) => {
      if (++requests > 2) {
        response.writeHead(200, { "content-type": "application/json", "content-length": 1000 });
        response.write(`{"jsonrpc":"2.0","id":`);
        setImmediate(() => request.socket.destroy());
        return;
      }
      const body: Buffer[] = [];
      request.on("data", (chunk: Buffer) => body.push(chunk));
      request.on("end", () => {
        const { accept = "", "content-type": type = "application/json" } = request.headers;
        void fetch(`http://127.0.0.1:${mcpPort}/mcp`, {
          method: "POST",
          headers: { accept, "content-type": type },
          body: Buffer.concat(body),
        }).then(async (answer) => {
          response.writeHead(answer.status, { "content-type": answer.headers.get("content-type") ?? "text/plain" });
          response.end(await answer.text());
        });
      });
    });

    expect((await call(front)).failed).toMatchObject([{ failure: "connection", caller: "fresh legacy" }]);
  });

  it("sees an answer that is an HTTP error", async () => {
    const port = await server((_, response) => response.writeHead(503).end("busy"));

    expect((await call(port)).failed).toMatchObject([{ failure: "http", message: expect.stringContaining("busy") }]);
  });

  it("sees an answer that is no JSON-RPC", async () => {
    const port = await server((_, response) =>
      response.writeHead(200, { "content-type": "application/json" }).end(`{"hello":"world"}`),
    );

    expect((await call(port)).failed).toMatchObject([{ failure: "protocol" }]);
  });

  it("reports few failures of a window whole, and counts them all", () => {
    const whole: FailedCall[] = [];
    const samples: TrafficSample[] = [];
    const sampler = new Sampler((report) => {
      if (report.type === "failed") whole.push(report.call);
      if (report.type === "sample") samples.push(report.sample);
    });
    for (let call = 0; call < 1000; call++)
      sampler.failed({ caller: "fresh legacy", failure: "timeout", message: "late" });
    sampler.flush(0);

    expect(whole).toHaveLength(5);
    expect(samples[0]?.failures).toEqual({ timeout: 1000 });
    expect(samples[0]?.callers).toEqual({ "fresh legacy": 1000 });
  });
});
