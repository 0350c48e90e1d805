/**
 * The fencing token of a release: the epoch of the lease that it holds.
 *
 * An epoch is greater than every earlier one of the environment, also after the lease was deleted. Taking the lease
 * writes the epoch to every object that a release changes, only upwards. Every later write tests it, so that a release
 * that lost its lease changes nothing more, however late its write arrives.
 *
 * @see Kleppmann, "How to do distributed locking" (2016), "Making the lock safe with fencing"
 */
export interface Fence {
  readonly epoch: number;
}
