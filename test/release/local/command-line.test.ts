import { describe, expect, it } from "@jest/globals";
import { wordsOf } from "../../../release/targets/local/command-line.ts";

describe("the command line of a server", () => {
  it.each([
    ["python3 server.py", ["python3", "server.py"]],
    [`  node  "my server.js" --name 'it is' a\\ b `, ["node", "my server.js", "--name", "it is", "a b"]],
    [`node -e "a('b')" ''`, ["node", "-e", "a('b')", ""]],
    ["uv run server.py --port={port}", ["uv", "run", "server.py", "--port={port}"]],
  ])("%j is split as a shell would", (line, words) => {
    expect(wordsOf(line)).toEqual(words);
  });

  it("may set variables, which env does, so that no shell takes the signals of the server", () => {
    expect(wordsOf("FASTMCP_PORT={port} X='a b' python3 server.py")).toEqual([
      "env",
      "FASTMCP_PORT={port}",
      "X=a b",
      "python3",
      "server.py",
    ]);
  });

  it.each([
    ["cd app && npm start", "'&' in 'cd app && npm start'; put it into a script"],
    ["node 'server.js", "a quote that does not end"],
    ["PORT=1", "names no program"],
    ["  ", "names no program"],
  ])("%j is refused with the reason", (line, reason) => {
    expect(() => wordsOf(line)).toThrow(reason);
  });
});
