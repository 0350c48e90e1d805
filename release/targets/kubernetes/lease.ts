import { randomUUID } from "node:crypto";
import { V1Lease } from "@kubernetes/client-node";
import { RECORD_ANNOTATION, RELEASE_LEASE } from "../../../environments/names.ts";
import { releaseRecordSchema, type ReleaseRecord } from "../../record.ts";
import { LeaseHeld, TargetUnreachable, UsageError, type Lease } from "../../target.ts";
import { keepRenewed } from "../lease.ts";
import { ask, find, JSON_PATCH, refused, type Cluster } from "./cluster.ts";

const TTL_SECONDS = 15;

/**
 * The cluster's own record of a release, an annotation on the Lease that guards it: whoever may write it holds the Lease.
 *
 * @throws UsageError when it cannot be read: to begin a release over one that may be baking would take its way back away
 */
export async function readRecord({ namespace, coordination }: Cluster): Promise<ReleaseRecord | undefined> {
  const lease = await find("read the release", coordination.readNamespacedLease({ namespace, name: RELEASE_LEASE }));
  const text = lease?.metadata?.annotations?.[RECORD_ANNOTATION];
  if (text === undefined) return undefined;
  try {
    return releaseRecordSchema.parse(JSON.parse(text));
  } catch {
    throw new UsageError(
      `the record on Lease '${RELEASE_LEASE}' in namespace '${namespace}' was written by another version of this command, or by hand; ` +
        "go on with that version, or delete the Lease when no release is under way",
    );
  }
}

/**
 * Takes the Lease as Kubernetes' own components do: by writing one's name into it, against the version that was read.
 *
 * @see https://kubernetes.io/docs/concepts/architecture/leases/
 */
export class ClusterLease {
  readonly #cluster: Cluster;
  readonly #identity: string;

  private constructor(cluster: Cluster, identity: string) {
    this.#cluster = cluster;
    this.#identity = identity;
  }

  /** @throws LeaseHeld, unless it is to be taken over */
  static async take(cluster: Cluster, holder: string, takeOver: boolean): Promise<ClusterLease> {
    const { namespace, coordination } = cluster;
    const identity = `${holder} ${randomUUID().slice(0, 8)}`;
    const object = { namespace, name: RELEASE_LEASE };
    const now = microTime(new Date());
    const spec = { holderIdentity: identity, leaseDurationSeconds: TTL_SECONDS, acquireTime: now, renewTime: now };
    const existing = await find("read the release lease", coordination.readNamespacedLease(object));
    if (existing !== undefined && !takeOver) refuseWhileHeld(existing);
    try {
      const body = Object.assign(new V1Lease(), { metadata: { name: RELEASE_LEASE } });
      const lease =
        existing ?? (await ask("create the release lease", coordination.createNamespacedLease({ namespace, body })));
      const take = [
        { op: "test", path: "/metadata/resourceVersion", value: lease.metadata?.resourceVersion },
        { op: "add", path: "/spec", value: spec },
      ];
      await ask("take the release lease", coordination.patchNamespacedLease({ ...object, body: take }, JSON_PATCH));
    } catch (error) {
      if (refused(error, "conflict", "testFailed")) {
        throw new LeaseHeld("a command that took it in this moment", TTL_SECONDS);
      }
      throw error;
    }
    return new ClusterLease(cluster, identity);
  }

  /** Renews itself until it is released. */
  keep(): Lease {
    return keepRenewed(TTL_SECONDS * 1000, {
      renew: () => this.#renew(),
      giveBack: async () => {
        await this.#change([{ op: "replace", path: "/spec/holderIdentity", value: "" }]);
      },
    });
  }

  /** @throws TargetUnreachable when the lease has been lost to somebody else */
  async assertHeld(): Promise<void> {
    if (!(await this.#renew())) throw takenOver();
  }

  /** @throws TargetUnreachable when the lease has been lost to somebody else */
  async write(release: ReleaseRecord): Promise<void> {
    const value = { [RECORD_ANNOTATION]: JSON.stringify(release) };
    if (!(await this.#change([{ op: "add", path: "/metadata/annotations", value }]))) throw takenOver();
  }

  async #renew(): Promise<boolean> {
    return await this.#change([{ op: "replace", path: "/spec/renewTime", value: microTime(new Date()) }]);
  }

  /** Changes the Lease only while it is ours; false when it is not. */
  async #change(operations: readonly object[]): Promise<boolean> {
    const { namespace, coordination } = this.#cluster;
    const body = [{ op: "test", path: "/spec/holderIdentity", value: this.#identity }, ...operations];
    try {
      const patch = coordination.patchNamespacedLease({ namespace, name: RELEASE_LEASE, body }, JSON_PATCH);
      await ask("write the release lease", patch);
      return true;
    } catch (error) {
      if (refused(error, "testFailed", "notFound")) return false;
      throw error;
    }
  }
}

function refuseWhileHeld({ spec }: V1Lease): void {
  if (!spec?.holderIdentity || spec.renewTime === undefined) return;
  const lapsesAt = new Date(spec.renewTime).getTime() + (spec.leaseDurationSeconds ?? TTL_SECONDS) * 1000;
  const secondsLeft = (lapsesAt - Date.now()) / 1000;
  if (secondsLeft > 0) throw new LeaseHeld(spec.holderIdentity, secondsLeft);
}

const takenOver = () => new TargetUnreachable("the release lease was taken over by somebody else");

/** Kubernetes' MicroTime: RFC 3339 with exactly six digits. */
const microTime = (time: Date) => time.toISOString().replace("Z", "000Z");
