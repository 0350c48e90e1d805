import { readyIn } from "../snapshot.ts";
import type { ContractCheck } from "./line.ts";

/** Whether pods become ready within the time that a release gives them. */
export const start: ContractCheck = ({ environment, state }) => {
  const what = "start";
  const { startupSeconds } = environment.server.probes;
  const { stageTimeoutSeconds } = environment.release;
  const ready = `${readyIn(state)} of ${state.pods.length} pods ready`;
  if (startupSeconds > stageTimeoutSeconds) {
    const evidence = `${ready}; a pod may take ${startupSeconds} s (server.probes.startupSeconds), a stage ${stageTimeoutSeconds} s`;
    const without = "a release aborts before the slowest pods have started; raise release.stageTimeoutSeconds";
    return [{ what, found: "wrong", evidence, without }];
  }
  const restarted = state.pods
    .filter(({ restarts }) => restarts > 0)
    .map(({ name, restarts }) => `${name} restarted ${restarts} ×`);
  if (restarted.length === 0) return [{ what, found: "ok", evidence: ready }];
  return [{ what, found: "wrong", evidence: restarted.join(", "), without: "the gate 'rollout' fails" }];
};
