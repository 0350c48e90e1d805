import { describe, expect, it } from "@jest/globals";
import { describeNetworkError } from "../../../app/src/outbound/upstream-failure.ts";

const withCode = (code: string) => Object.assign(new Error("connect 10.1.2.3:443 /app/src/x.ts"), { code });

describe("an error of the network", () => {
  it.each([
    ["ECONNREFUSED", "https://a.example refused the connection (ECONNREFUSED)", true],
    ["EAI_AGAIN", "https://a.example could not be looked up (EAI_AGAIN)", true],
    ["CERT_HAS_EXPIRED", "https://a.example has a certificate that is not valid (CERT_HAS_EXPIRED)", false],
    [
      "DEPTH_ZERO_SELF_SIGNED_CERT",
      "https://a.example has a certificate that is not valid (DEPTH_ZERO_SELF_SIGNED_CERT)",
      false,
    ],
    [
      "ERR_TLS_CERT_ALTNAME_INVALID",
      "https://a.example has a certificate that is not valid (ERR_TLS_CERT_ALTNAME_INVALID)",
      false,
    ],
    ["HPE_INVALID_CONSTANT", "https://a.example does not answer in HTTP", false],
    ["Z_DATA_ERROR", "https://a.example could not be called (Z_DATA_ERROR)", true],
  ])("(%s) is told without addresses: %s", (code, message, mayPass) => {
    expect(describeNetworkError("https://a.example", withCode(code))).toMatchObject({
      name: "UpstreamFailure",
      message,
      mayPass,
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
