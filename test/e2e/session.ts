import { ERAS, withClient } from "../../release/measure/client.ts";
import { SERVICE_URL } from "./cluster.ts";

const SERVICE = { url: new URL(SERVICE_URL), fetch };

/** Calls the live Service with the official client, in each era, and says which version and color answered. */
export async function callService(): Promise<string> {
  const answers: string[] = [];
  for (const era of ERAS) {
    const answer = await withClient(SERVICE, era, AbortSignal.timeout(20_000), async (client) => {
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

/** Stores something through the live Service; returns the receipt. */
export async function storeThroughService(): Promise<unknown> {
  return await withClient(SERVICE, "modern", AbortSignal.timeout(20_000), async (client) => {
    const args = { key: "e2e", value: { stored: true } };
    return (await client.callTool({ name: "store_data_resilient", arguments: args })).structuredContent;
  });
}
