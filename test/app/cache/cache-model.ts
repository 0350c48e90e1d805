export interface Windows {
  readonly ttl: number;
  readonly staleWhileRevalidate: number;
  readonly staleIfError: number;
  readonly negativeTtl: number;
  readonly timeout: number;
}

/** What came of a load, and what it told; a caller's own going away is no outcome of a load. */
export type Outcome = "value" | "error" | "no such thing";

interface Load {
  readonly key: string;
  readonly due: number;
  readonly callers: Set<number>;
  /** Nobody called for it: it refreshes what was given out already. */
  readonly isRefresh: boolean;
  isOver: boolean;
  /** Its time was over, or nobody waited for it any more. */
  wasCancelled: boolean;
}

/** What a cache is, in plain words: slow, and too plain to be wrong in the ways the real one could be. */
export class CacheModel {
  readonly #windows: Windows;
  readonly #values = new Map<string, { value: string; freshUntil: number }>();
  readonly #answers = new Map<string, { error: string; until: number }>();
  readonly loads: Load[] = [];
  /** Of each call, in order: what it was answered, once it is. */
  readonly calls: (string | undefined)[] = [];
  #now = 0;

  constructor(windows: Windows) {
    this.#windows = windows;
  }

  fetch(key: string): void {
    const { staleWhileRevalidate } = this.#windows;
    const caller = this.calls.push(undefined) - 1;
    const kept = this.#values.get(key);
    const remembered = this.#answers.get(key);
    const underWay = this.loads.find((load) => load.key === key && !load.isOver);
    if (kept !== undefined && this.#now < kept.freshUntil) this.calls[caller] = `${kept.value} memory`;
    else if (kept !== undefined && this.#now < kept.freshUntil + staleWhileRevalidate) {
      this.calls[caller] = `${kept.value} stale`;
      if (underWay === undefined) this.#load(key, [], true);
    } else if (remembered !== undefined && this.#now < remembered.until) this.calls[caller] = remembered.error;
    else if (underWay === undefined) this.#load(key, [caller], false);
    else underWay.callers.add(caller);
  }

  settle(index: number, outcome: Outcome): void {
    const load = this.loads[index];
    if (load === undefined || load.isOver) return;
    load.isOver = true;
    if (outcome === "error") this.#failed(load, `error ${index}`);
    else if (outcome === "value") {
      this.#values.set(load.key, { value: `value ${index}`, freshUntil: this.#now + this.#windows.ttl });
      this.#answers.delete(load.key);
      this.#answer(load, `value ${index} computed`);
    } else {
      const error = `no such thing ${index}`;
      this.#values.delete(load.key);
      this.#answers.set(load.key, { error, until: this.#now + this.#windows.negativeTtl });
      this.#answer(load, error);
    }
  }

  leave(caller: number): void {
    const load = this.loads.find(({ callers, isOver }) => callers.has(caller) && !isOver);
    if (load === undefined || this.calls[caller] !== undefined) return;
    this.calls[caller] = "gone";
    load.callers.delete(caller);
    if (load.callers.size > 0 || load.isRefresh) return;
    load.isOver = true;
    load.wasCancelled = true;
  }

  wait(milliseconds: number): void {
    const end = this.#now + milliseconds;
    const due = this.loads.filter((load) => !load.isOver && load.due <= end).sort((one, other) => one.due - other.due);
    for (const load of due) {
      this.#now = load.due;
      load.isOver = true;
      load.wasCancelled = true;
      this.#failed(load, "too late");
    }
    this.#now = end;
  }

  #load(key: string, callers: number[], isRefresh: boolean): void {
    const due = this.#now + this.#windows.timeout;
    this.loads.push({
      key,
      due,
      callers: new Set(callers),
      isRefresh,
      isOver: false,
      wasCancelled: false,
    });
  }

  #failed(load: Load, error: string): void {
    const kept = this.#values.get(load.key);
    const stands = kept !== undefined && this.#now < kept.freshUntil + this.#windows.staleIfError;
    this.#answer(load, stands ? `${kept.value} stale` : error);
  }

  #answer({ callers }: Load, answer: string): void {
    for (const caller of callers) this.calls[caller] = answer;
  }
}
