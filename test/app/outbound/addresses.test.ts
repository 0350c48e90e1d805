import { once } from "node:events";
import { createServer, type AddressInfo } from "node:net";
import { describe, expect, it } from "@jest/globals";
import fc from "fast-check";
import { ToolInputError } from "../../../app/src/errors/tool-input-error.ts";
import { reachOf, type Resolve } from "../../../app/src/outbound/addresses.ts";
import { UpstreamFailure } from "../../../app/src/outbound/upstream-failure.ts";
import { PLAIN_CALL } from "../../../app/src/resilience/call.ts";
import { newOutbound } from "./new-outbound.ts";
import { startUpstream } from "./upstream.ts";

type Octets = readonly [number, number, number, number];

const octet = fc.integer({ min: 0, max: 255 });

/** Addresses that no public service has. */
const notPublic: fc.Arbitrary<Octets> = fc.oneof(
  fc.tuple(fc.constantFrom(0, 10, 127, 224, 240, 255), octet, octet, octet),
  fc.tuple(fc.constant(100), fc.integer({ min: 64, max: 127 }), octet, octet),
  fc.tuple(fc.constant(169), fc.constant(254), octet, octet),
  fc.tuple(fc.constant(172), fc.integer({ min: 16, max: 31 }), octet, octet),
  fc.tuple(fc.constant(192), fc.constant(168), octet, octet),
  fc.tuple(fc.constant(198), fc.constantFrom(18, 19), octet, octet),
);

const number = ([a, b, c, d]: Octets): number => ((a * 256 + b) * 256 + c) * 256 + d;
const bases: readonly ((part: number) => string)[] = [
  String,
  (part) => `0${part.toString(8)}`,
  (part) => `0x${part.toString(16)}`,
  (part) => `0X${part.toString(16).toUpperCase()}`,
];
const hex = ([a, b, c, d]: Octets): string => `${(a * 256 + b).toString(16)}:${(c * 256 + d).toString(16)}`;

/** The ways in which a URL can write an IPv4 address. */
const spelled = (address: Octets): fc.Arbitrary<string> => {
  const [a, b, c, d] = address;
  const groups = [[a, b, c, d], [a, b, c * 256 + d], [a, (b * 256 + c) * 256 + d], [number(address)]];
  return fc.oneof(
    fc
      .constantFrom(...groups)
      .chain((parts) =>
        fc
          .array(fc.constantFrom(...bases), { minLength: parts.length, maxLength: parts.length })
          .map((inBase) => parts.map((part, index) => (inBase[index] ?? String)(part)).join(".")),
      ),
    fc.constantFrom(
      `${address.join(".")}.`,
      address.join("。"),
      address.join("%2e"),
      address.join(".").replace(/\d/g, (digit) => String.fromCharCode(0xff10 + Number(digit))),
    ),
  );
};

describe("the reach of an address", () => {
  it.each([
    ["8.8.8.8", "public"],
    ["2606:4700::1111", "public"],
    ["::ffff:8.8.8.8", "public"],
    ["64:ff9b::808:808", "public"],
    ["10.1.2.3", "private"],
    ["127.0.0.1", "private"],
    ["::1", "private"],
    ["fd12::1", "private"],
    ["100.64.1.1", "private"],
    ["::ffff:7f00:1", "private"],
    ["64:ff9b::a00:1", "private"],
    ["169.254.169.254", "never"],
    ["::ffff:169.254.169.254", "never"],
    ["64:ff9b::a9fe:a9fe", "never"],
    ["fd00:ec2::254", "never"],
    ["fd00:ec2:0:0:0:0:0:23", "never"],
    ["fd20:ce::254", "never"],
    ["fd00:c1::a9fe:a9fe", "never"],
    ["fd00:ec2::1", "private"],
    ["100.100.100.200", "never"],
    ["168.63.129.16", "never"],
    ["0.0.0.0", "never"],
    ["::", "never"],
    ["255.255.255.255", "never"],
    ["224.0.0.1", "never"],
    ["ff02::1", "never"],
    ["fe80::1", "never"],
    ["fe80::1%eth0", "never"],
    ["2606:4700::1%eth0", "never"],
    ["2002:7f00:1::", "never"],
    ["2002:808:808::", "never"],
    ["2001::1", "never"],
    ["2001:db8::1", "never"],
    ["64:ff9b:1::a00:1", "never"],
    ["::7f00:1", "never"],
    ["::127.0.0.1", "never"],
    ["::8.8.8.8", "never"],
    ["::ffff:0:8.8.8.8", "never"],
    ["4000::1", "never"],
    ["not an address", "never"],
  ])("%s is %s", (address, reach) => {
    expect(reachOf(address)).toBe(reach);
  });

  it("is the same for an IPv4 address however IPv6 embeds it", () => {
    fc.assert(
      fc.property(fc.tuple(octet, octet, octet, octet), (address) => {
        const reach = reachOf(address.join("."));
        expect(reachOf(`::ffff:${hex(address)}`)).toBe(reach);
        expect(reachOf(`64:ff9b::${hex(address)}`)).toBe(reach);
        expect(reachOf(`2002:${hex(address)}::1`)).toBe("never");
      }),
      { numRuns: 1000 },
    );
  });
});

describe("an address in a URL", () => {
  it("that is not public is refused in every spelling, even where the operator allows the host", async () => {
    await fc.assert(
      fc.asyncProperty(
        notPublic.chain((address) => fc.tuple(fc.constant(address), spelled(address))),
        async ([address, spelling]) => {
          const { outbound } = newOutbound({ OUTBOUND_ALLOW: `http://${address.join(".")}` });
          const send = async () => outbound.send(outbound.check({ url: `http://${spelling}/` }), PLAIN_CALL);
          await expect(send()).rejects.toThrow(/has (a private|an) address/);
        },
      ),
      { numRuns: 200 },
    );
  });

  it("is not what a name allows, however it is spelled", () => {
    const { outbound } = newOutbound({ OUTBOUND_ALLOW: "http://*.example.com,http://example.com,http://8.8.8.8" });
    fc.assert(
      fc.property(notPublic.chain(spelled), (spelling) => {
        expect(() => outbound.check({ url: `http://${spelling}/` })).toThrow(ToolInputError);
      }),
      { numRuns: 200 },
    );
  });

  it.each(["[::ffff:127.0.0.1]", "[64:ff9b::7f00:1]", "[::1]", "[0:0:0:0:0:0:0:1]"])(
    "in IPv6 (%s) is refused as what it leads to",
    async (host) => {
      const { outbound } = newOutbound({ OUTBOUND_ALLOW: `http://${host}` });

      await expect(outbound.send(outbound.check({ url: `http://${host}/` }), PLAIN_CALL)).rejects.toThrow(
        "has a private address: it may be called only if OUTBOUND_ALLOW_PRIVATE names it",
      );
    },
  );

  it("of instance metadata is refused even where the operator allows it as private", async () => {
    const { outbound } = newOutbound({
      OUTBOUND_ALLOW: "http://169.254.169.254",
      OUTBOUND_ALLOW_PRIVATE: "169.254.169.254",
    });

    await expect(outbound.send(outbound.check({ url: "http://0xA9FEA9FE/" }), PLAIN_CALL)).rejects.toThrow(
      "has an address that may not be called",
    );
  });
});

describe("the allow-list", () => {
  const allows = (list: string, url: string): boolean => {
    try {
      newOutbound({ OUTBOUND_ALLOW: list }).outbound.check({ url });
      return true;
    } catch (error) {
      if (error instanceof ToolInputError) return false;
      throw error;
    }
  };

  it.each([
    ["api.example.com", "https://api.example.com/x?y", true],
    ["api.example.com", "https://API.Example.COM:443/", true],
    ["api.example.com", "http://api.example.com/", false],
    ["api.example.com", "https://api.example.com:8443/", false],
    ["api.example.com:8443", "https://api.example.com:8443/", true],
    ["http://api.example.com", "http://api.example.com:80/", true],
    ["http://api.example.com", "https://api.example.com/", false],
    ["api.example.com", "https://api.example.com.evil.example/", false],
    ["api.example.com", "https://api.example.com./", false],
    ["api.example.com", "https://evil.example/#api.example.com", false],
    ["api.example.com", "https://api.example.com@evil.example/", false],
    [String.raw`api.example.com`, String.raw`https://evil.example\@api.example.com/`, false],
    ["*.example.com", "https://a.b.example.com/", true],
    ["*.example.com", "https://example.com/", false],
    ["*.example.com", "https://evilexample.com/", false],
    ["*.example.com", "https://.example.com/", false],
    ["bücher.example", "https://xn--bcher-kva.example/", true],
    ["xn--bcher-kva.example", "https://BÜCHER.example/", true],
    ["example.com", "https://exаmple.com/", false],
    ["", "https://example.com/", false],
    ["http://[::1]:8080", "http://[0:0::1]:8080/", true],
  ])("'%s' decides on %s: %s", (list, url, allowed) => {
    expect(allows(list, url)).toBe(allowed);
  });

  it("names each host once in a refusal, also one that a pool names again", () => {
    const { outbound } = newOutbound({ OUTBOUND_ALLOW: "a.example", OUTBOUND_POOLS: "p=https://a.example" });

    expect(() => outbound.check({ url: "https://b.example/" })).toThrow(/lists https:\/\/a\.example$/);
  });

  it.each(["*", "*.com", "https://", "example.com/path", "ftp://example.com", "user@example.com", "a b", "*.*.com"])(
    "is not read from '%s', and says how an entry looks",
    (entry) => {
      expect(() => newOutbound({ OUTBOUND_ALLOW: `ok.example,${entry}` })).toThrow(
        `without a path; '${entry}' is none`,
      );
    },
  );

  it.each(["http://a.example", "a.example:80", "*.a.example"])("takes no '%s' for a private host", (entry) => {
    expect(() => newOutbound({ OUTBOUND_ALLOW_PRIVATE: entry })).toThrow("without scheme and port");
  });
});

describe("a name that resolves", () => {
  const resolving = (...answers: readonly (readonly string[])[]): { resolve: Resolve; asked: () => number } => {
    let asked = 0;
    return {
      resolve: () => {
        const answer = answers[Math.min(asked, answers.length - 1)] ?? [];
        asked += 1;
        return Promise.resolve(answer.map((address) => ({ address, family: address.includes(":") ? 6 : 4 })));
      },
      asked: () => asked,
    };
  };

  it("to an address that is not public is refused, and the address stays unsaid", async () => {
    for (const address of ["10.9.8.7", "fd12::7", "169.254.169.254", "::ffff:10.9.8.7"]) {
      const { resolve } = resolving([address]);
      const { outbound } = newOutbound({ OUTBOUND_ALLOW: "http://api.example" }, resolve);
      const sent = outbound.send(outbound.check({ url: "http://api.example/" }), PLAIN_CALL);

      await expect(sent).rejects.toThrow(ToolInputError);
      await expect(sent).rejects.not.toThrow(address);
    }
  });

  it("to a good address and a bad one is refused", async () => {
    const { resolve } = resolving(["93.184.215.14", "127.0.0.1"]);
    const { outbound } = newOutbound({ OUTBOUND_ALLOW: "http://api.example" }, resolve);

    await expect(outbound.send(outbound.check({ url: "http://api.example/" }), PLAIN_CALL)).rejects.toThrow(
      "api.example has a private address",
    );
  });

  it("is connected to where it was checked, though it means something else a moment later", async () => {
    const checked = await startUpstream();
    const other = await startUpstream(undefined, { host: "127.0.0.2", port: checked.port });
    const { resolve, asked } = resolving(["127.0.0.1"], ["127.0.0.2"]);
    const { outbound } = newOutbound(
      { OUTBOUND_ALLOW: `http://api.example:${checked.port}`, OUTBOUND_ALLOW_PRIVATE: "api.example" },
      resolve,
    );
    await outbound.send(outbound.check({ url: `http://api.example:${checked.port}/` }), PLAIN_CALL);

    expect([asked(), checked.asked.length, other.connections]).toEqual([1, 1, 0]);
    outbound.close();
    await Promise.all([checked.close(), other.close()]);
  });

  it("is checked again for each connection: one that comes to mean this network reaches nothing in it", async () => {
    const inside = await startUpstream((_request, response) => {
      response.writeHead(200, { connection: "close" }).end();
    });
    const { resolve } = resolving(["127.0.0.1"], ["169.254.169.254"]);
    const { outbound } = newOutbound(
      { OUTBOUND_ALLOW: `http://api.example:${inside.port}`, OUTBOUND_ALLOW_PRIVATE: "api.example" },
      resolve,
    );
    const send = () => outbound.send(outbound.check({ url: `http://api.example:${inside.port}/` }), PLAIN_CALL);
    await send();

    await expect(send()).rejects.toThrow("api.example has an address that may not be called");
    await inside.close();
  });

  it("is asked for once per connection, and keeps its own name in Host", async () => {
    const inside = await startUpstream();
    const { resolve, asked } = resolving(["127.0.0.1"], ["169.254.169.254"]);
    const { outbound } = newOutbound(
      { OUTBOUND_ALLOW: `http://api.example:${inside.port}`, OUTBOUND_ALLOW_PRIVATE: "api.example" },
      resolve,
    );
    const url = `http://api.example:${inside.port}/`;
    for (let turn = 0; turn < 3; turn += 1) await outbound.send(outbound.check({ url }), PLAIN_CALL);

    expect(asked()).toBe(1);
    expect(inside.connections).toBe(1);
    expect(inside.asked[0]?.headers.host).toBe(`api.example:${inside.port}`);
    outbound.close();
    await inside.close();
  });

  it("is the name that TLS asks for, whatever address it is connected to", async () => {
    const hello = Promise.withResolvers<Buffer>();
    const server = createServer((socket) => {
      socket.once("data", (data) => {
        hello.resolve(data);
        socket.destroy();
      });
    });
    await once(server.listen(0, "127.0.0.1"), "listening");
    const { port } = server.address() as AddressInfo;
    const { outbound } = newOutbound(
      { OUTBOUND_ALLOW: `api.example:${port}`, OUTBOUND_ALLOW_PRIVATE: "api.example" },
      resolving(["127.0.0.1"]).resolve,
    );
    const url = `https://api.example:${port}/`;

    await expect(outbound.send(outbound.check({ url }), PLAIN_CALL)).rejects.toThrow(
      `https://api.example:${port} broke off the connection`,
    );
    expect((await hello.promise).includes("api.example")).toBe(true);
    await once(server.close(), "close");
  });

  it("to nothing is an upstream's failure", async () => {
    const { outbound } = newOutbound({ OUTBOUND_ALLOW: "http://api.example" }, resolving([]).resolve);
    await expect(outbound.send(outbound.check({ url: "http://api.example/" }), PLAIN_CALL)).rejects.toThrow(
      UpstreamFailure,
    );

    const unknown = newOutbound({ OUTBOUND_ALLOW: "http://nowhere.invalid" });
    await expect(
      unknown.outbound.send(unknown.outbound.check({ url: "http://nowhere.invalid/" }), PLAIN_CALL),
    ).rejects.toThrow(/nowhere\.invalid (has no address|could not be looked up)/);
  });
});
