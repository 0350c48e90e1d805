import { answer, argumentsOf, type Tool } from "mcp-bluegreen/app";
import { z } from "zod";

/** The part of the database's client that the tool uses. */
export interface Notes {
  rPush(key: string, element: string): Promise<number>;
}

const inputSchema = argumentsOf({ note: z.string("must be text").min(1, "must not be empty").max(10_000) });

/** Keeps a note. */
export const addNote = (database: Notes): Tool<z.output<typeof inputSchema>> => ({
  name: "add_note",
  title: "Add a note",
  description: "Keeps a note for the team, and tells how many there are.",
  inputSchema,
  outputSchema: z.object({ notes: z.int() }),
  annotations: { readOnlyHint: false, destructiveHint: false, idempotentHint: false, openWorldHint: false },
  async handle({ note }) {
    const notes = await database.rPush("notes", note);
    return answer({ notes }, `The note is kept. There ${notes === 1 ? "is 1 note" : `are ${notes} notes`}.`);
  },
});
