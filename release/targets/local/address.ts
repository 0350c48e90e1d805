import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { z } from "zod";
import { TargetUnreachable } from "../../errors.ts";

const addressSchema = z.strictObject({
  /** The control interface. */
  control: z.url(),
  token: z.string(),
  /** The live route. */
  url: z.url(),
  pid: z.number().int(),
});

/** How a command finds the host of this machine. */
export type HostAddress = z.output<typeof addressSchema>;

/** Where the host says how to reach it: `BLUEGREEN_HOME`, or `.local` in the working directory. */
export function homeFolder(): string {
  return resolve(process.env.BLUEGREEN_HOME ?? ".local");
}

const file = (home: string) => join(home, "host.json");

/** Only the owner can read it, since the token in it moves traffic. */
export async function writeAddress(home: string, address: HostAddress): Promise<void> {
  await mkdir(home, { recursive: true });
  await rm(file(home), { force: true });
  await writeFile(file(home), JSON.stringify(address), { mode: 0o600 });
}

export async function removeAddress(home: string): Promise<void> {
  await rm(file(home), { force: true });
}

/** @throws TargetUnreachable when no host has said where it is */
export async function readAddress(home: string): Promise<HostAddress> {
  try {
    return addressSchema.parse(JSON.parse(await readFile(file(home), "utf8")));
  } catch {
    throw new TargetUnreachable(`no local host is running (looked in ${home}); start one with 'mcp-bluegreen local'`);
  }
}
