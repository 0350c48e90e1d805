import { other } from "../../environment/color.ts";
import { carrying, readyPods } from "../snapshot.ts";
import type { Gate } from "./gate.ts";

/** Passes when the color has at least as many ready pods as the one it takes over from. */
export const capacity: Gate = {
  name: "capacity",
  phases: ["verify"],
  check({ snapshot, color }) {
    const ready = readyPods(snapshot, color);
    const needed = carrying(snapshot, other(color));
    const evidence = `${ready} ready pods, ${needed} carry the traffic now`;
    return Promise.resolve({ outcome: ready >= needed ? "pass" : "fail", evidence });
  },
};
