/** A kubeconfig, or its place in the environment, that cannot be used as it is. The message says what to change. */
export class InvalidKubeconfig extends Error {
  override readonly name = "InvalidKubeconfig";
}
