import { z } from "zod";
import { dnsLabel, ociReference, portNumber, variableName } from "../patterns.ts";
import { portName } from "./probes.ts";
import { envFrom, files, settingsFrom } from "./references.ts";
import { resources } from "./resources.ts";

/** A container beside that of the server, or one that runs to its end before it. */
export const sidecar = z.strictObject({
  name: dnsLabel.describe("the container's name"),
  image: ociReference.describe("the container's image"),
  /** @default - the image's entry point */
  command: z.array(z.string()).min(1).optional(),
  /** @default - the image's own */
  args: z.array(z.string()).min(1).optional(),
  /** By name. @default none */
  ports: z.record(portName, portNumber).default({}),
  settings: z.record(variableName, z.string()).default({}),
  settingsFrom: settingsFrom.default({}),
  envFrom: envFrom.default([]),
  files: files.default([]),
  resources: resources.prefault({}),
  /** @default true */
  readOnlyRoot: z.boolean().default(true),
});
