/** `{port}` is the MCP port, `{port:admin}` the one of that name in `server.ports`. */
const PLACE = /\{port(?::(?<name>[^}]*))?\}/g;

/** The names of the ports that a command is told as arguments. */
export function portsToldIn(words: readonly string[]): readonly string[] {
  return words.flatMap((word) => [...word.matchAll(PLACE)].map(({ groups }) => groups?.name ?? "mcp"));
}

/** A command with the numbers of its ports. A name that has none stays as it is. */
export function withPorts(words: readonly string[], ports: Readonly<Record<string, number>>): readonly string[] {
  return words.map((word) =>
    word.replaceAll(PLACE, (place, name: string | undefined) => String(ports[name ?? "mcp"] ?? place)),
  );
}
