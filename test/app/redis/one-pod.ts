import { startPod, until } from "./pods.ts";

/**
 * A pod as a process of its own, for tests that end or stop it without a word: takes the address of Redis, opens its breaker when it is told to, and
 * says `probing` once a leased probe of its is under way. That succeeds when it is told so again, which it says when Redis has heard of it.
 */
const pod = startPod({ url: process.argv[2] ?? "", name: "api", timeout: 500 });
await until(() => pod.shared.isShared);
process.stdout.write("shared\n");
process.stdin.once("data", () => {
  for (let failure = 0; failure < 3; failure += 1) {
    const answer = pod.breaker.tryAcquire();
    if (answer.admitted) answer.fail();
  }
  const look = setInterval(() => {
    const probe = pod.breaker.tryAcquire();
    if (!probe.admitted) return;
    clearInterval(look);
    process.stdout.write("probing\n");
    process.stdin.once("data", () => {
      probe.succeed();
      const { reports } = pod.shared.stats;
      void until(() => pod.shared.isShared && pod.shared.stats.reports > reports + 2).then(() => {
        process.stdout.write(`${pod.breaker.state}\n`);
      });
    });
  }, 5);
});
