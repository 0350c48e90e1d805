import { describe, expect, it } from "@jest/globals";
import { environment } from "../../environment/environment.ts";
import local from "../../environments/local.ts";

const withMigration = (migration: NonNullable<Parameters<typeof environment>[0]["migration"]>) =>
  environment({ ...local, migration });

describe("the migration of an environment", () => {
  it("has ten minutes, and its Job stays for a day", () => {
    expect(withMigration({ command: ["migrate"] }).migration).toEqual({
      command: ["migrate"],
      args: [],
      timeoutSeconds: 600,
      ttlSeconds: 86_400,
    });
  });

  it("is refused as a command line, with its items and a shell as the ways out", () => {
    expect(() => withMigration({ command: ["npm run migrate"] })).toThrow(
      'migration.command.0: \'npm run migrate\' is taken for the name of one program: write its arguments as items, ["npm", "run", "migrate"], ' +
        'or run a shell that the image has: ["/bin/sh", "-c", "npm run migrate"]',
    );
  });

  it("needs a command and a time", () => {
    expect(() => withMigration({ command: [], timeoutSeconds: 0 })).toThrow(
      /migration\.command: must have at least 1[^]*migration\.timeoutSeconds: must be more than 0/,
    );
  });
});
