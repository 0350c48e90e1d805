import { once } from "node:events";

/** Aborts when the user ends the command: Ctrl-C, or a polite kill. */
export function interrupted(): AbortSignal {
  const ended = new AbortController();
  const end = () => {
    ended.abort(new Error("interrupted"));
  };
  void once(process, "SIGINT").then(end);
  void once(process, "SIGTERM").then(end);
  return ended.signal;
}
