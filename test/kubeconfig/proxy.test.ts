import { describe, expect, it } from "@jest/globals";
import { proxyFromVariables } from "../../release/targets/kubernetes/api/proxy.ts";

const proxyOf = (server: string, variables: Record<string, string>) =>
  proxyFromVariables(new URL(server), variables)?.href;

/** @see https://pkg.go.dev/golang.org/x/net/http/httpproxy#Config */
describe("the proxy that variables name", () => {
  it("is that of the server's scheme, upper case first, and http when it names no scheme", () => {
    const both = { HTTPS_PROXY: "https://a:1", https_proxy: "b:2", HTTP_PROXY: "c:3" };

    expect(proxyOf("https://api.example.com", both)).toBe("https://a:1/");
    expect(proxyOf("https://api.example.com", { ...both, HTTPS_PROXY: "" })).toBe("http://b:2/");
    expect(proxyOf("http://api.example.com", both)).toBe("http://c:3/");
    expect(proxyOf("https://api.example.com", { ALL_PROXY: "a:1" })).toBeUndefined();
  });

  it("must be a URL of a proxy", () => {
    expect(() => proxyOf("https://api.example.com", { HTTPS_PROXY: "ftp://a" })).toThrow("HTTPS_PROXY is 'ftp://a'");
  });

  it.each([
    ["https://api.example.com", "*"],
    ["https://api.example.com", "example.com"],
    ["https://api.example.com", "other.com, EXAMPLE.com "],
    ["https://api.example.com", ".example.com"],
    ["https://api.example.com", "*.example.com"],
    ["https://api.example.com", "api.example.com:443"],
    ["https://api.example.com:6443", "example.com:6443"],
    ["https://10.1.2.3", "10.0.0.0/8"],
    ["https://10.1.2.3", "10.1.2.3"],
    ["https://10.1.2.3:6443", "10.1.2.3:6443"],
    ["https://[fd00::1]", "fd00::/8"],
    ["https://[fd00::1]:6443", "[fd00::1]:6443"],
    ["https://localhost:6443", ""],
    ["https://127.0.0.2:6443", ""],
    ["https://[::1]:6443", ""],
  ])("is none for %s with NO_PROXY=%s", (server, NO_PROXY) => {
    expect(proxyOf(server, { HTTPS_PROXY: "proxy:1", NO_PROXY })).toBeUndefined();
  });

  it.each([
    ["https://api.example.com", ""],
    ["https://example.com", ".example.com"],
    ["https://example.com", "*.example.com"],
    ["https://badexample.com", "example.com"],
    ["https://api.example.com", "example.com:6443"],
    ["https://10.1.2.3", "10.0.0.0/16"],
    ["https://10.1.2.3", "10.1.2.3:6443"],
    ["https://10.1.2.3", "10.1.2.30,10.0.0.0/33,/,nonsense/8"],
    ["https://[fd00::1]", "10.0.0.0/8"],
    ["https://api.example.com", ",:,[,]"],
  ])("is used for %s with NO_PROXY=%s", (server, NO_PROXY) => {
    expect(proxyOf(server, { HTTPS_PROXY: "proxy:1", NO_PROXY })).toBe("http://proxy:1/");
  });
});
