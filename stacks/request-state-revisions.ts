import type { Environment } from "../environment/environment.ts";

/** The revisions of the request-state key that exist: none, if the server has no such key. */
export const requestStateRevisions = ({ app, server }: Pick<Environment, "app" | "server">): readonly number[] =>
  server.variables.requestStateKey === undefined ? [] : (app.requestStateKeyRevisions ?? [1]);
