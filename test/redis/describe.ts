import { afterAll, describe } from "@jest/globals";
import { killRedis, redisIsInstalled } from "./server.ts";

/** A `describe` that is skipped, and says so, where there is no Redis to run. */
export function describeWithRedis(name: string, body: () => void): void {
  if (!redisIsInstalled) {
    describe.skip(`${name} (skipped: needs redis-server on the PATH, as from: apt-get install redis-server)`, body);
    return;
  }
  describe(name, body);
  // After the tests' own hooks.
  afterAll(killRedis);
}
