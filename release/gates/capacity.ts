import { other } from "../../environment/color.ts";
import { readyPods } from "../snapshot.ts";
import type { Gate } from "./gate.ts";

/** Passes when the color has at least as many ready pods as the one it takes over from. */
export const capacity: Gate = {
  name: "capacity",
  phases: ["verify"],
  check({ snapshot, color }) {
    const ready = readyPods(snapshot, color);
    const carrying = readyPods(snapshot, other(color));
    const evidence = `${ready} ready pods, ${carrying} carry the traffic now`;
    return Promise.resolve({ outcome: ready > 0 && ready >= carrying ? "pass" : "fail", evidence });
  },
};
