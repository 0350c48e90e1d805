/** Tells listeners what a policy did. Costs nothing while nobody listens. */
export class Emitter<Event> {
  readonly #listeners = new Set<(event: Event) => void>();

  /** Calls back with each event until the returned function is called. */
  on(listener: (event: Event) => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  /** A listener that throws neither changes a policy's decision nor keeps others from hearing of it. */
  emit(event: Event): void {
    for (const listener of this.#listeners) {
      try {
        listener(event);
      } catch (error) {
        process.emitWarning(`a listener of a policy's events failed: ${String(error)}`);
      }
    }
  }
}
