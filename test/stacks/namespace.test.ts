import { describe, expect, it } from "@jest/globals";
import { environment } from "../../environment/environment.ts";
import local from "../../environments/local.ts";
import { resourceOf, stackOf, synthesize } from "./synthesized.ts";

interface Existing {
  readonly lifecycle: {
    readonly postcondition: readonly { readonly condition: string; readonly error_message: string }[];
  };
}

describe("a namespace that a deploy makes", () => {
  it("says to which environment it belongs", () => {
    const { metadata } = resourceOf(stackOf(synthesize(), "platform"), "kubernetes_namespace_v1");

    expect(metadata).toMatchObject({ name: "mcp-local", labels: { "mcp-bluegreen/environment": "local" } });
    expect(stackOf(synthesize(), "platform").data).toBeUndefined();
  });
});

describe("a namespace that exists", () => {
  const platform = stackOf(synthesize(environment({ ...local, createNamespace: false })), "platform");
  const [existing] = Object.values(platform.data?.kubernetes_namespace_v1 ?? {}) as unknown as Existing[];

  it("is read in the plan, which fails if it does not exist or belongs to another environment", () => {
    expect(existing?.lifecycle.postcondition).toEqual([
      {
        condition: '${self.metadata[0].uid != ""}',
        error_message: "there is no namespace 'mcp-local': create it, or set createNamespace to true",
      },
      {
        condition: '${try(self.metadata[0].labels["mcp-bluegreen/environment"], "local") == "local"}',
        error_message: expect.stringMatching(/^namespace 'mcp-local' belongs to the environment '.*', not to 'local'/),
      },
    ]);
  });

  it("comes before every object in it", () => {
    const objects = Object.values(platform.resource).flatMap((resources) => Object.values(resources));

    expect(objects.length).toBeGreaterThan(3);
    for (const { metadata } of objects) {
      expect(metadata.namespace).toMatch(/^\$\{data\.kubernetes_namespace_v1\..*\.metadata\[0\]\.name\}$/);
    }
  });
});
