import { describe } from "@jest/globals";
import { redisIsInstalled } from "./server.ts";

/** A `describe` that is skipped, and says so, where there is no Redis to run. */
export const describeWithRedis: (name: string, body: () => void) => void = redisIsInstalled
  ? describe
  : (name, body) => {
      describe.skip(`${name} (skipped: needs redis-server on the PATH, as from: apt-get install redis-server)`, body);
    };
