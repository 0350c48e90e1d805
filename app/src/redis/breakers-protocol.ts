import { z } from "zod";
import { readMessage } from "./message.ts";
import type { Redis } from "./redis.ts";
import { loadScript } from "./script.ts";

const syncBreakers = loadScript("redis/sync-breakers.lua");

/** One pod's report about one breaker. Durations are milliseconds. */
export interface BreakerReport {
  readonly name: string;
  /**
   * `open` by this pod's own rules; `closed`: calls succeed. Absent if the pod has no calls, or
   * while the pods hold the breaker open.
   */
  readonly vote?: "open" | "closed" | undefined;
  /** The epoch in which the pods opened it, if this pod's own probes have closed it since. */
  readonly healed?: number | undefined;
  /** The latest action of an operator on this pod. */
  readonly operator?: "force" | "reset" | undefined;
  /** Results of probes under a lease. */
  readonly settled: readonly SettledProbe[];
  /** Requests a probe lease under this token, in this epoch. */
  readonly ask?: Token | undefined;
  /** How long it would stay open if it opened now. */
  readonly reopen: number;
  /** Concurrent probes. */
  readonly limit: number;
  /** Probes that must succeed. */
  readonly threshold: number;
  /** Longest duration of a probe. */
  readonly timeout: number;
}

/** The name of a probe lease, unique among pods and epochs. */
export interface Token {
  readonly token: string;
  readonly epoch: number;
}

export interface SettledProbe extends Token {
  readonly outcome: "success" | "failure" | "cancelled" | "unused";
}

export interface SyncRequest {
  readonly pod: string;
  readonly interval: number;
  /** Epoch of the last list of open breakers that this pod has received. */
  readonly seen: number;
  /** The highest epoch that this pod has received. */
  readonly highest: number;
  /** Whether it needs the list even if nothing has changed. */
  readonly all: boolean;
  readonly leaving: boolean;
  readonly breakers: readonly BreakerReport[];
  /** All standings that this pod has. Sent only after Redis has reported that it lost them. */
  readonly known?: readonly (Standing & { readonly timeout: number })[];
}

const standingSchema = z.discriminatedUnion("open", [
  z.object({ name: z.string(), epoch: z.number(), open: z.literal(false) }),
  z.object({
    name: z.string(),
    epoch: z.number(),
    open: z.literal(true),
    /** Milliseconds until probe leases are granted. */
    remaining: z.number(),
    forced: z.boolean(),
    openings: z.number(),
  }),
]);

/** The state of one breaker for all pods since an epoch. */
export type Standing = z.output<typeof standingSchema>;

export interface Answer {
  /** The breaker for which the pod requested a lease. */
  readonly breaker: string;
  /** Absent: no lease was granted. */
  readonly token: string | undefined;
  /**
   * With a lease, milliseconds in which its probe must begin; otherwise, milliseconds until probes
   * are due, or 0.
   */
  readonly time: number;
}

export interface SyncReply {
  readonly epoch: number;
  /** Redis has lost changes that the pod must send; the rest of the request was ignored. */
  readonly isLost: boolean;
  /** Every open breaker; all others are closed. Absent if nothing has changed. */
  readonly open: readonly Standing[] | undefined;
  readonly answers: readonly Answer[];
}

const replySchema = z.tuple([
  z.number(),
  z.enum(["", "lost"]),
  z.array(z.string()).nullable(),
  z.array(z.tuple([z.string(), z.string(), z.number()])),
]);

/** @throws errors of `Redis.run` */
export async function sync(redis: Redis, group: string, request: SyncRequest): Promise<SyncReply> {
  const keys = ["pods", "open", "meta", "history"].map((key) => keyOf(redis, group, key));
  const reply = await redis.run(syncBreakers, keys, [channelOf(redis, group), JSON.stringify(request)]);
  const [epoch, lost, open, answers] = replySchema.parse(reply);
  return {
    epoch,
    isLost: lost === "lost",
    open: open?.map((text) => standingSchema.parse(JSON.parse(text))),
    answers: answers.map(([breaker, token, time]) => ({ breaker, token: token === "" ? undefined : token, time })),
  };
}

/** Calls back with each change by any pod of the group, including this one. */
export function onChange(redis: Redis, group: string, listener: (standing: Standing) => void): () => void {
  return redis.subscribe(channelOf(redis, group), (message) => {
    const standing = readMessage(standingSchema, message);
    if (standing !== undefined) listener(standing);
  });
}

/** All keys of a group share one hash tag, so that one script reaches them in a cluster. */
export function keyOf({ prefix }: Redis, group: string, key: string): string {
  return `${prefix}:{breakers:${group}}:${key}`;
}

function channelOf({ prefix }: Redis, group: string): string {
  return `${prefix}:breakers:${group}`;
}
