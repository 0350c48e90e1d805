import { rehearsal } from "./rehearsal.ts";

export default rehearsal({
  name: "rehearsal",
  metrics: {},
  bake: { durationSeconds: 20, intervalSeconds: 2 },
  breakerRecovery: "3s",
});
