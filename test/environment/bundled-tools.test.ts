import { describe, expect, it } from "@jest/globals";
import { TOOL_NAMES } from "../../app/src/config/tools.ts";
import { BUNDLED_TOOLS, toolsProblems } from "../../environment/bundled-tools.ts";
import { environment } from "../../environment/environment.ts";
import local from "../../environments/local.ts";
import production from "../../environments/production.ts";

const withTools = (TOOLS: string) => () =>
  environment({ ...local, app: { ...local.app, settings: { AUTH_MODE: "off", TOOLS } } });

describe("the bundled tools that an environment names", () => {
  it("are those of the app", () => {
    expect(BUNDLED_TOOLS).toEqual(TOOL_NAMES);
  });

  it.each(["", "all", "none", "get_data, simple_health"])("may be '%s'", (value) => {
    expect(toolsProblems(value)).toEqual([]);
  });

  it("are refused at synth where the app would not start, with what was probably meant", () => {
    expect(withTools("get_dta,weather")).toThrow(
      "  app.settings: TOOLS: there is no bundled tool 'get_dta'; did you mean 'get_data'?\n" +
        "  app.settings: TOOLS: there is no bundled tool 'weather'; there are: get_weather_with_fallback, ",
    );
    expect(withTools(",")).toThrow("app.settings: TOOLS must be 'all', 'none' or names");
    expect(withTools("all,get_data")).toThrow("there is no bundled tool 'all'");
  });

  it("are in production's example without the demonstrations, and with the one that a release calls", () => {
    const tools = production.app.settings.TOOLS?.split(",") ?? [];

    expect(tools).not.toEqual(expect.arrayContaining(["get_weather_with_fallback"]));
    expect(tools.filter((name) => /^(?:async|cached|rate|retry)_/.test(name))).toEqual([]);
    expect(tools).toContain(production.release.smoke?.tool);
  });
});
