import { startPod, until } from "./pods.ts";

/**
 * A pod as a process of its own, for tests that end it without a word: takes the address of Redis, opens its breaker, and says `probing` once a leased
 * probe of its is under way that will never end.
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
    if (!pod.breaker.tryAcquire().admitted) return;
    clearInterval(look);
    process.stdout.write("probing\n");
  }, 5);
});
