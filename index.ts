/**
 * The kit as a library: an app in two colors for a cdktf project. docs/library.md shows its use.
 */
export { BlueGreenApp, type BlueGreenAppProps } from "./stacks/blue-green-app.ts";
export { ColorStack } from "./stacks/color-stack.ts";
export { EnvironmentStack, type ProviderCluster, type StackEnvironment } from "./stacks/environment-stack.ts";
export { InvalidInput, readInputs, type Change, type Inputs, type Stage } from "./stacks/inputs.ts";
export { PlatformStack } from "./stacks/platform-stack.ts";
export { explainMistake, synthesize } from "./stacks/synthesize.ts";
export { TrafficStack } from "./stacks/traffic-stack.ts";

export { bundledServer } from "./environment/bundled-server.ts";
export { COLORS, type Color } from "./environment/color.ts";
export { environment, InvalidEnvironment, type Environment, type EnvironmentInput } from "./environment/environment.ts";
export { environmentNames, loadEnvironment, UnknownEnvironment } from "./environment/load.ts";
export { namesOf, scopeName, stackName, type Names } from "./environment/names.ts";
export { notes } from "./environment/notes.ts";
export type { Server, ServerInput } from "./environment/schema/server.ts";
export { InvalidKubeconfig } from "./kubeconfig/invalid-kubeconfig.ts";

export { AppIngress, type AppIngressProps } from "./constructs/app-ingress.ts";
export { AppNamespace, type AppNamespaceProps } from "./constructs/app-namespace.ts";
export { Autoscaler, type AutoscalerProps } from "./constructs/autoscaler.ts";
export { Claim, type ClaimProps } from "./constructs/claim.ts";
export { ColorDeployment, type ColorDeploymentProps } from "./constructs/color-deployment.ts";
export { ColorService, type ColorServiceProps } from "./constructs/color-service.ts";
export { DisruptionBudget, type DisruptionBudgetProps } from "./constructs/disruption-budget.ts";
export { ExtraService, type ExtraServiceProps } from "./constructs/extra-service.ts";
export { NetworkPolicies, type Egress, type NetworkPoliciesProps } from "./constructs/network-policies.ts";
export type { PodProps } from "./constructs/pod-props.ts";
export { RevisionedSecret, type RevisionedSecretProps } from "./constructs/revisioned-secret.ts";
export { StageMarker, type ReleaseStage, type StageMarkerProps } from "./constructs/stage-marker.ts";
