import type { DeploymentV1SpecTemplateSpec } from "@cdktf/provider-kubernetes/lib/deployment-v1/index.js";

type Labels = Readonly<Record<string, string>>;

/** A preference has a weight; a requirement has none. */
interface Weighted {
  readonly weight?: number | undefined;
}

export interface NodeTerm extends Weighted {
  readonly match: readonly { readonly key: string; readonly operator: string; readonly values: readonly string[] }[];
}

export interface PodTerm extends Weighted {
  /** @default - pods of the same color */
  readonly labels?: Labels | undefined;
  readonly namespaces: readonly string[];
  readonly topologyKey: string;
}

export interface SchedulingProps {
  /** Labels that a node must have. */
  readonly nodeSelector: Labels;

  readonly tolerations: readonly {
    readonly key?: string | undefined;
    readonly value?: string | undefined;
    readonly effect?: string | undefined;
    readonly seconds?: number | undefined;
  }[];

  readonly affinity: {
    readonly nodes: readonly NodeTerm[];
    readonly near: readonly PodTerm[];
    readonly apart: readonly PodTerm[];
  };

  readonly spread: readonly {
    readonly topologyKey: string;
    readonly maxSkew: number;
    readonly whenUnsatisfiable: string;
  }[];

  readonly priorityClass?: string | undefined;

  readonly runtimeClass?: string | undefined;
}

/** Which nodes a pod may and should run on. `own` are the labels of the pods beside it. */
export function scheduling(props: SchedulingProps, own: Labels): DeploymentV1SpecTemplateSpec {
  const { nodeSelector, tolerations, affinity, spread, priorityClass, runtimeClass } = props;
  return {
    ...(priorityClass !== undefined && { priorityClassName: priorityClass }),
    ...(runtimeClass !== undefined && { runtimeClassName: runtimeClass }),
    ...(Object.keys(nodeSelector).length > 0 && { nodeSelector: { ...nodeSelector } }),
    ...(tolerations.length > 0 && { toleration: tolerations.map(toleration) }),
    ...affinityOf(affinity, own),
    ...(spread.length > 0 && {
      topologySpreadConstraint: spread.map((constraint) => ({
        ...constraint,
        // Each ReplicaSet by itself; otherwise the pods of the version that leaves push the new ones together.
        matchLabelKeys: ["pod-template-hash"],
        labelSelector: [{ matchLabels: { ...own } }],
      })),
    }),
  };
}

const toleration = ({ key, value, effect, seconds }: SchedulingProps["tolerations"][number]) => ({
  ...(key !== undefined && { key }),
  operator: value === undefined ? "Exists" : "Equal",
  ...(value !== undefined && { value }),
  ...(effect !== undefined && { effect }),
  ...(seconds !== undefined && { tolerationSeconds: String(seconds) }),
});

function affinityOf({ nodes, near, apart }: SchedulingProps["affinity"], own: Labels) {
  const affinity = {
    ...(nodes.length > 0 && { nodeAffinity: nodeAffinity(nodes) }),
    ...(near.length > 0 && { podAffinity: podAffinity(near, own) }),
    ...(apart.length > 0 && { podAntiAffinity: podAffinity(apart, own) }),
  };
  return Object.keys(affinity).length === 0 ? {} : { affinity };
}

function nodeAffinity(terms: readonly NodeTerm[]) {
  const expressions = ({ match }: NodeTerm) => ({
    matchExpressions: match.map(({ key, operator, values }) => ({
      key,
      operator,
      ...(values.length > 0 && { values: [...values] }),
    })),
  });
  const { required, preferred } = apartByWeight(terms);
  return {
    ...(required.length > 0 && {
      requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerm: required.map(expressions) },
    }),
    ...(preferred.length > 0 && {
      preferredDuringSchedulingIgnoredDuringExecution: preferred.map(({ weight, ...term }) => ({
        weight,
        preference: expressions(term),
      })),
    }),
  };
}

function podAffinity(terms: readonly PodTerm[], own: Labels) {
  const term = ({ labels = own, namespaces, topologyKey }: PodTerm) => ({
    topologyKey,
    labelSelector: [{ matchLabels: { ...labels } }],
    ...(namespaces.length > 0 && { namespaces: [...namespaces] }),
  });
  const { required, preferred } = apartByWeight(terms);
  return {
    ...(required.length > 0 && { requiredDuringSchedulingIgnoredDuringExecution: required.map(term) }),
    ...(preferred.length > 0 && {
      preferredDuringSchedulingIgnoredDuringExecution: preferred.map(({ weight, ...rest }) => ({
        weight,
        podAffinityTerm: term(rest as PodTerm),
      })),
    }),
  };
}

const apartByWeight = <T extends Weighted>(terms: readonly T[]) => ({
  required: terms.filter(({ weight }) => weight === undefined),
  preferred: terms.flatMap((term) => (term.weight === undefined ? [] : [{ ...term, weight: term.weight }])),
});
