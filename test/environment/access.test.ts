import { describe, expect, it } from "@jest/globals";
import { authorizationOff, checkContext, inContext } from "../../environment/access.ts";
import { environment, InvalidEnvironment } from "../../environment/environment.ts";
import { loadEnvironment } from "../../environment/load.ts";
import { notes } from "../../environment/notes.ts";
import local from "../../environments/local.ts";
import production from "../../environments/production.ts";
import { withServer } from "../stacks/a-server.ts";

describe("an environment that lets anyone call", () => {
  it("is said aloud, and no other one is", () => {
    expect(notes(local)).toContain("app.settings: AUTH_MODE 'off': anyone who reaches the server may call every tool");
    expect(notes(production)).toEqual([]);
  });

  it("is known of other servers by their own descriptions", () => {
    const authorizationOffBy = { REQUIRE_LOGIN: "false", TOKENS: "any" };
    const of = (settings: Record<string, string>) =>
      authorizationOff(withServer({ authorizationOff: authorizationOffBy }, { app: { settings } }));

    expect(of({ REQUIRE_LOGIN: "false", TOKENS: "any" })).toBe("REQUIRE_LOGIN 'false', TOKENS 'any'");
    expect(of({ REQUIRE_LOGIN: "false" })).toBeUndefined();
    expect(authorizationOff(withServer({}, { app: { settings: { AUTH_MODE: "off" } } }))).toBeUndefined();
  });

  it("does not go to the context that is current, but to one that is named, or where no kubeconfig chooses", () => {
    expect(() => {
      checkContext(local, "prod");
    }).toThrow(
      "environment 'local' lets anyone call (AUTH_MODE 'off'), so it does not go to the context that happens to be " +
        "current, 'prod': name the context with --context or KUBE_CONTEXT, or in the environment",
    );
    checkContext(inContext(local, "kind-kind"), "prod");
    checkContext(environment({ ...local, context: "kind-kind" }), "kind-kind");
    checkContext(local, undefined);
    checkContext({ ...production, context: undefined }, "prod");
  });

  it("stays inside the cluster in the example", () => {
    expect(local.service.type).toBe("ClusterIP");
    expect(local.ingress).toBeUndefined();
  });
});

describe("a context beside the environment", () => {
  it("is that of an environment without one, and must not contradict another", async () => {
    expect((await loadEnvironment("local", undefined, "kind-kind")).context).toBe("kind-kind");
    expect((await loadEnvironment("local", undefined, "")).context).toBeUndefined();
    expect((await loadEnvironment("production", undefined, "production")).context).toBe("production");
    await expect(loadEnvironment("production", undefined, "kind-kind")).rejects.toThrow(InvalidEnvironment);
    await expect(loadEnvironment("production", undefined, "kind-kind")).rejects.toThrow(
      "environment 'production' belongs to the context 'production', not to 'kind-kind': remove --context",
    );
  });
});
