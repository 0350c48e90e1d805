import { rehearsal } from "./rehearsal.ts";

export default rehearsal({
  name: "rehearsal",
  bake: { durationSeconds: 20, intervalSeconds: 2 },
  breakerRecovery: "3s",
});
