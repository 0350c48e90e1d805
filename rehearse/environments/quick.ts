import { rehearsal } from "./rehearsal.ts";

export default rehearsal({
  name: "rehearsal-quick",
  bake: { durationSeconds: 8, intervalSeconds: 1 },
  breakerRecovery: "1s",
});
