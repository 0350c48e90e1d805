import { describe, expect, it } from "@jest/globals";
import { askedPorts } from "../../environment/asked-ports.ts";
import { environment } from "../../environment/environment.ts";
import local from "../../environments/local.ts";

describe("the ports of a setting with addresses", () => {
  it.each([
    ["collector:4317", [4317]],
    ["collector.observability:4317", [4317]],
    ["http://collector:4318", [4318]],
    ["grpc://collector:4317", [4317]],
    ["http://collector", [80]],
    ["https://collector", [443]],
    ["api.example.com,http://*.internal:8080", [443, 8080]],
    ["http://localhost:4318", []],
    ["", []],
  ])("of '%s' are %j", (setting, ports) => {
    expect(askedPorts(setting)).toEqual(ports);
  });

  it.each(["collector", "grpc://collector", "ftp://collector"])("must be written out for '%s'", (value) => {
    const settings = { AUTH_MODE: "off", OTEL_EXPORTER_OTLP_ENDPOINT: value };

    expect(askedPorts(value)).toBeUndefined();
    expect(() => environment({ ...local, app: { ...local.app, settings } })).toThrow(
      `app.settings.OTEL_EXPORTER_OTLP_ENDPOINT: must name a port or be a URL, such as 'collector:4317' or ` +
        `'http://collector:4318', not '${value}'`,
    );
  });
});
