import { rehearsal } from "./rehearsal.ts";

export default rehearsal({
  name: "rehearsal-quick",
  bake: { durationSeconds: 6, intervalSeconds: 1 },
  breakerRecovery: "1s",
});
