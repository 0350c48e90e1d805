import { createClient } from "@redis/client";
import { run } from "mcp-bluegreen/app";
import { addNote } from "./add-note.ts";

const { DATABASE_URL: url = "redis://localhost:6379", DATABASE_PASSWORD: password } = process.env;
// A call fails at once while the database is away, and does not wait for it.
const database = createClient({ url, disableOfflineQueue: true, ...(password !== undefined && { password }) });
database.on("error", () => undefined);
void database.connect().catch(() => undefined);

await run({ tools: (bundled) => [...bundled, addNote(database)] });
