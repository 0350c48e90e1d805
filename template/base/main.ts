import { synthesize } from "mcp-bluegreen";

// The stacks of the environment that `-e` or ENVIRONMENT names. Stacks of other kinds may join them:
// await synthesize((app) => { new DatabaseStack(app, "database"); });
await synthesize();
