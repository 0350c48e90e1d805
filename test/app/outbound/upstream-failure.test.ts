import { describe, expect, it } from "@jest/globals";
import { describeNetworkError } from "../../../app/src/outbound/upstream-failure.ts";

const withCode = (code: string) => Object.assign(new Error("connect 10.1.2.3:443 /app/src/x.ts"), { code });

describe("an error of the network", () => {
  it.each([
    ["ECONNREFUSED", "https://a.example refused the connection (ECONNREFUSED)", true],
    ["EAI_AGAIN", "https://a.example could not be looked up (EAI_AGAIN)", true],
    ["HPE_INVALID_CONSTANT", "https://a.example does not answer in HTTP (HPE_INVALID_CONSTANT)", false],
    ["CERT_REVOKED", "https://a.example has a certificate that is not valid (CERT_REVOKED)", false],
    ["EPROTO", "https://a.example does not speak TLS as this server does (EPROTO)", false],
    ["ENEW", "https://a.example could not be called (ENEW)", true],
  ])("(%s) is told without addresses: %s", (code, message, isTransient) => {
    expect(describeNetworkError("https://a.example", withCode(code))).toMatchObject({
      name: "UpstreamFailure",
      message,
      isTransient,
    });
  });

  it("is the first one's where several addresses were tried", () => {
    const error = new AggregateError([withCode("ECONNREFUSED"), withCode("ENETUNREACH")]);

    expect(describeNetworkError("https://a.example", error)).toMatchObject({
      message: "https://a.example refused the connection (ECONNREFUSED)",
    });
  });

  it.each([new TypeError("x is not a function"), withCode("ERR_INVALID_CHAR")])(
    "is left as it is where the fault is this side's (%s)",
    (error) => {
      expect(describeNetworkError("https://a.example", error)).toBe(error);
    },
  );
});
