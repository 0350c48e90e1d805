import { ERAS, withClient } from "../../release/measure/client.ts";
import { SERVICE_URL } from "./cluster.ts";

/** Calls the live Service with the official client, in each era, and says which version and color answered. */
export async function callService(): Promise<string> {
  const answers: string[] = [];
  for (const era of ERAS) {
    const endpoint = { url: new URL(SERVICE_URL), fetch };
    const answer = await withClient(endpoint, era, AbortSignal.timeout(20_000), async (client) => {
      const { tools } = await client.listTools();
      const { isError, structuredContent } = await client.callTool({
        name: "get_weather_with_fallback",
        arguments: { city: "Berlin" },
      });
      if (isError) throw new Error(`${era}: the tool failed`);
      return `${era}: ${tools.length} tools, ${JSON.stringify(structuredContent).slice(0, 80)}`;
    });
    answers.push(answer);
  }
  return answers.join("; ");
}
