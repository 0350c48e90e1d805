import { z } from "zod";
import { readMessage } from "./message.ts";
import type { Redis } from "./redis.ts";
import { loadScript } from "./script.ts";

const syncBreakers = loadScript("redis/sync-breakers.lua");

/** One pod's report about one breaker. Durations are milliseconds. */
export interface BreakerReport {
  readonly name: string;
  /**
   * `open` by this pod's own rule; `closed`: calls succeed. Absent from a pod that has no calls, and while the pods hold the
   * breaker open together.
   */
  readonly vote?: "open" | "closed" | undefined;
  /** The epoch in which the pods opened it, where this pod's own probes have closed it since. */
  readonly healed?: number | undefined;
  /** An operator has done this on this pod. */
  readonly operator?: "force" | "reset" | undefined;
  /** How probes under a lease went. */
  readonly settled: readonly SettledProbe[];
  /** Asks for a probe lease under this token, in this epoch. */
  readonly ask?: Token | undefined;
  /** How long it would stay open if it opened now. */
  readonly reopen: number;
  /** Probes under way at the same time. */
  readonly limit: number;
  /** Probes that must succeed. */
  readonly threshold: number;
  /** How long a probe may take. */
  readonly timeout: number;
}

/** Names a probe lease. No other pod and no other epoch has the same. */
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
  /** Epoch of the last list of open breakers that this pod got. */
  readonly seen: number;
  /** The highest epoch that it has received in any way. */
  readonly highest: number;
  /** Whether it needs the list, even if nothing has changed since. */
  readonly all: boolean;
  readonly leaving: boolean;
  readonly breakers: readonly BreakerReport[];
  /** What it knows of all breakers. Sent only after Redis has answered that this is lost there. */
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
  /** The breaker that the pod asked for. */
  readonly breaker: string;
  /** Absent: no lease was granted. */
  readonly token: string | undefined;
  /** With a lease, milliseconds in which its probe has to begin; without, milliseconds until probes are due, or 0. */
  readonly time: number;
}

export interface SyncReply {
  readonly epoch: number;
  /** The pod knows of later changes than Redis does, and has to send them; the rest of its request was ignored. */
  readonly isLost: boolean;
  /** Every breaker that is open, all others being closed; absent where nothing has changed. */
  readonly open: readonly Standing[] | undefined;
  readonly answers: readonly Answer[];
}

const replySchema = z.tuple([
  z.number(),
  z.enum(["", "lost"]),
  z.array(z.string()).nullable(),
  z.array(z.tuple([z.string(), z.string(), z.number()])),
]);

/** @throws what `Redis.run` throws */
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

/** Calls back with each change that any pod of the group brings about, this one included. */
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
