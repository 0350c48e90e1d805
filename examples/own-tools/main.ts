import { synthesize } from "mcp-bluegreen";
import { DatabaseStack } from "./database.ts";

await synthesize((app, { environment, platform }) => {
  const database = new DatabaseStack(app, `${environment.name}-database`, environment);
  database.addDependency(platform);
});
