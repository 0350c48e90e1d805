/** Reports events of a policy to listeners. Costs nothing without listeners. */
export class Emitter<Event> {
  readonly #listeners = new Set<(event: Event) => void>();

  /** Calls back with each event until the returned function is called. */
  on(listener: (event: Event) => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  emit(event: Event): void {
    for (const listener of this.#listeners)
      safely(() => {
        listener(event);
      });
  }
}

/** Calls back. An error becomes a warning, because it must not change a decision. */
export function safely(callback: () => void): void {
  try {
    callback();
  } catch (error) {
    process.emitWarning(`a listener of a policy failed: ${String(error)}`);
  }
}
