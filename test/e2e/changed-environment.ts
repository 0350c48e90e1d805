import local from "./on-node-port.ts";
import { environment } from "../../environment/environment.ts";

/** Environment `local` with another setting for its pods. */
export default environment({
  ...local,
  app: { ...local.app, settings: { ...local.app.settings, LOG_LEVEL: "debug" } },
});
