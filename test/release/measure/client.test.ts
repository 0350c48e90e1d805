import { afterEach, describe, expect, it } from "@jest/globals";
import { ERAS, TOKEN, withClient } from "../../../release/measure/client.ts";
import { startIssuer } from "../../app/auth/issuer.ts";
import { startTestApp } from "../../app/running-app.ts";

afterEach(() => {
  Reflect.deleteProperty(process.env, TOKEN);
});

describe("a client session of a release", () => {
  it("brings the token of its environment, and without one is told that it needs one", async () => {
    const issuer = await startIssuer();
    const app = await startTestApp(issuer.environment);
    const session = (era: (typeof ERAS)[number]) =>
      withClient({ url: app.endpoint, fetch }, era, AbortSignal.timeout(10_000), async (client) => {
        const { tools } = await client.listTools();
        return tools.length;
      }).catch((error: unknown) => String(error));
    const without = await Promise.all(ERAS.map(session));
    process.env[TOKEN] = await issuer.token();
    const withToken = await Promise.all(ERAS.map(session));
    await app.close();
    await issuer.close();

    expect(without).toEqual(ERAS.map(() => expect.stringMatching(/needs an access token|requires authorization/)));
    expect(withToken).toEqual(ERAS.map(() => expect.any(Number)));
  });
});
