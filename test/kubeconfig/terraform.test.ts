import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "@jest/globals";
import { InvalidKubeconfig } from "../../kubeconfig/invalid-kubeconfig.ts";
import { terraformCluster } from "../../kubeconfig/terraform.ts";

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "kubeconfig-test-"));
});

afterEach(() => {
  rmSync(folder, { recursive: true });
});

const CONFIG = {
  "current-context": "c",
  clusters: [{ name: "c", cluster: { server: "https://api.example.com" } }],
  users: [{ name: "u", user: { token: "t" } }],
  contexts: [
    { name: "c", context: { cluster: "c", user: "u" } },
    { name: "d", context: { cluster: "c", user: "u" } },
  ],
};

function write(name: string, content: object): string {
  const file = join(folder, name);
  writeFileSync(file, JSON.stringify(content));
  return file;
}

const find = (variables: Record<string, string>, context?: string) =>
  terraformCluster({ variables: { HOME: folder, ...variables }, folder, serviceAccount: folder }, context);

describe("the cluster that Terraform is given", () => {
  it("is the current context by its name, in the files that exist, or the context that was asked for", () => {
    const file = write("a", CONFIG);

    expect(find({ KUBECONFIG: "missing:a:a" })).toEqual({ kind: "context", files: [file], context: "c" });
    expect(find({ KUBECONFIG: file }, "d")).toEqual({ kind: "context", files: [file], context: "d" });
    expect(() => find({ KUBECONFIG: file }, "x")).toThrow("has no context 'x'; it has 'c', 'd'");
  });

  it("is that of the home folder when KUBECONFIG is absent or empty, but no file at all when it is only colons", () => {
    mkdirSync(join(folder, ".kube"));
    const file = write(".kube/config", CONFIG);

    expect(find({})).toEqual({ kind: "context", files: [file], context: "c" });
    expect(find({ KUBECONFIG: "" })).toEqual({ kind: "context", files: [file], context: "c" });
    expect(find({ KUBECONFIG: "::" })).toEqual({ kind: "none", files: [] });
  });

  it("is not known where there is no kubeconfig, so that stacks can still be written", () => {
    expect(find({ KUBECONFIG: "a:/b" })).toEqual({ kind: "none", files: [join(folder, "a"), "/b"] });
  });

  it("is its own in a pod with a service account, unless a file names another one", () => {
    const pod = { KUBERNETES_SERVICE_HOST: "10.0.0.1", KUBERNETES_SERVICE_PORT: "443" };
    expect(find(pod)).toMatchObject({ kind: "none" });
    write("token", {});

    expect(find(pod)).toEqual({ kind: "own" });
    expect(find({ ...pod, KUBECONFIG: write("a", CONFIG) })).toMatchObject({ kind: "context" });
    expect(() => find(pod, "c")).toThrow("there is no kubeconfig with the context 'c'");
  });

  it.each([
    ["KUBE_HOST"],
    ["KUBE_TOKEN"],
    ["KUBE_CTX"],
    ["KUBE_CONFIG_PATH"],
    ["KUBE_CLIENT_KEY_DATA"],
    ["KUBE_PROXY_URL"],
  ])("is refused with %s, which moves the provider alone, but not when it is empty", (name) => {
    const KUBECONFIG = write("a", CONFIG);

    expect(() => find({ KUBECONFIG, [name]: "x" })).toThrow(InvalidKubeconfig);
    expect(() => find({ KUBECONFIG, [name]: "x" })).toThrow(`${name} would move Terraform alone`);
    expect(find({ KUBECONFIG, [name]: "" })).toMatchObject({ context: "c" });
  });

  it.each(["clusters", "users", "contexts"] as const)(
    "is refused when two files define one of its %s, since the provider takes the last and kubectl the first",
    (list) => {
      const [a, b] = [write("a", CONFIG), write("b", { [list]: CONFIG[list] })];
      const kind = list.slice(0, -1);
      const name = list === "users" ? "u" : "c";

      expect(() => find({ KUBECONFIG: "a:b" })).toThrow(
        `two files of KUBECONFIG define ${kind} '${name}' in '${a}', '${b}'`,
      );
    },
  );

  it("is not refused for a name that two files define and it does not use", () => {
    const unused = [{ name: "x", user: { token: "x" } }];
    write("a", { ...CONFIG, users: [...CONFIG.users, ...unused] });
    write("b", { users: unused });

    expect(find({ KUBECONFIG: "a:b" })).toMatchObject({ kind: "context", context: "c" });
  });
});
