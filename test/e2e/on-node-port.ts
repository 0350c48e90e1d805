import local from "../../environments/local.ts";
import { environment } from "../../environment/environment.ts";
import { userFolder } from "../../environment/user-folder.ts";
import { loadKubeconfig } from "../../kubeconfig/load.ts";

const { currentContext } = loadKubeconfig({ variables: process.env, folder: userFolder() });

/** Environment `local` in the current context, where clients on this machine reach it. */
export default environment({
  ...local,
  ...(currentContext !== "" && { context: currentContext }),
  service: { type: "NodePort", nodePort: 30080 },
});
