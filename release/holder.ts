import { hostname, userInfo } from "node:os";

/** The holder of the lease, for the message that another command shows: user, host and process id. */
export const whoAmI = (user: () => { readonly username: string } = userInfo): string =>
  `${nameOf(user)}@${hostname()} (process ${process.pid})`;

/** A container may run with a uid that has no name, for instance on OpenShift. */
function nameOf(user: () => { readonly username: string }): string {
  try {
    return user().username;
  } catch {
    return `uid ${process.getuid?.() ?? "unknown"}`;
  }
}
