import { z } from "zod";
import { ToolInputError } from "../../../../app/src/errors/tool-input-error.ts";
import type { HttpClient } from "../../../../app/src/outbound/http-client.ts";
import { urlArgument } from "../../../../app/src/tools/api-request.ts";
import { argumentsOf } from "../../../../app/src/tools/arguments.ts";
import { answer, type Tool } from "../../../../app/src/tools/tool.ts";

const DAY = 86_400_000;

const inputSchema = argumentsOf({ url: urlArgument });

/** How long ago a page was changed. */
export function pageAge(outbound: HttpClient): Tool<z.output<typeof inputSchema>> {
  return {
    name: "page_age",
    title: "Age of a page",
    description:
      "Tells when a web page was last changed, if its server says. Use it to judge whether a page is current.",
    inputSchema,
    outputSchema: z.object({ changedAt: z.string().describe("ISO 8601, UTC"), days: z.number() }),
    annotations: { readOnlyHint: true, idempotentHint: true, openWorldHint: true },
    timeout: 10_000,
    async handle({ url }, { call }) {
      const page = await outbound.send(outbound.check({ url, method: "HEAD" }), call, { attempts: 2 });
      const changed = Date.parse(page.headers["last-modified"] ?? "");
      if (Number.isNaN(changed))
        throw new ToolInputError(`${url} does not say when it was changed: ask for another page`);
      const days = Math.floor((Date.now() - changed) / DAY);
      return answer({ changedAt: new Date(changed).toISOString(), days }, `${url} was changed ${days} days ago.`);
    },
  };
}
