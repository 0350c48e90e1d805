import { z } from "zod";
import { readMessage } from "./message.ts";
import type { Redis } from "./redis.ts";
import { loadScript } from "./script.ts";

const syncBreakers = loadScript("redis/sync-breakers.lua");

/** What one pod has to say about one breaker. Durations are milliseconds. */
export interface BreakerReport {
  readonly name: string;
  /** `open` by this pod's own rule; `well`: calls succeed. Nothing from a pod that cannot tell, or while the pods hold it open together. */
  readonly opinion?: "open" | "well" | undefined;
  /** The epoch in which the pods opened it, where this pod's own probes have closed it since. */
  readonly healed?: number | undefined;
  /** Somebody has done this by hand. */
  readonly hand?: "force" | "reset" | undefined;
  /** How leased probes went. */
  readonly settled: readonly SettledProbe[];
  /** Asks for a lease under this token, to probe in this epoch. */
  readonly ask?: Token | undefined;
  /** How long it would stay open if it opened now. */
  readonly reopen: number;
  /** Probes under way at the same time. */
  readonly limit: number;
  /** Probes that must succeed. */
  readonly threshold: number;
  /** How long a probe may take. */
  readonly patience: number;
}

/** Names a lease: nobody else's, and of no other epoch. */
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
  /** The highest epoch it has heard of in any way. */
  readonly highest: number;
  /** Whether it wants the list, even if nothing has changed since. */
  readonly all: boolean;
  readonly leaving: boolean;
  readonly breakers: readonly BreakerReport[];
  /** What it knows of all breakers; only after Redis has said that it is lost there. */
  readonly known?: readonly (Standing & { readonly patience: number })[];
}

const standingSchema = z.discriminatedUnion("open", [
  z.object({ name: z.string(), epoch: z.number(), open: z.literal(false) }),
  z.object({
    name: z.string(),
    epoch: z.number(),
    open: z.literal(true),
    /** Milliseconds until probes are lent. */
    remaining: z.number(),
    forced: z.boolean(),
    openings: z.number(),
  }),
]);

/** How one breaker stands for all pods since an epoch. */
export type Standing = z.output<typeof standingSchema>;

export interface Answer {
  /** What the pod asked for, under the name of the breaker. */
  readonly breaker: string;
  /** Absent: no lease was to be had. */
  readonly token: string | undefined;
  /** With a lease, milliseconds in which its probe has to begin; without, milliseconds until probes are due, or 0. */
  readonly time: number;
}

export interface SyncReply {
  readonly epoch: number;
  /** The pod knows of later changes than Redis does, and has to say what it knows; nothing else was heeded. */
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
