interface Line<Item> {
  readonly client: string | undefined;
  readonly items: Item[];
}

/**
 * A queue in which clients take turns, whatever the number of items of each. The items of one
 * client keep their order.
 *
 * @see Nagle, "On Packet Switches With Infinite Storage", RFC 970
 */
export class FairQueue<Item> {
  /** By client; the first is next. */
  readonly #lines = new Map<string | undefined, Line<Item>>();
  #size = 0;

  get size(): number {
    return this.#size;
  }

  push(client: string | undefined, item: Item): void {
    const line = this.#lines.get(client) ?? { client, items: [] };
    this.#lines.set(client, line);
    line.items.push(item);
    this.#size += 1;
  }

  shift(): Item | undefined {
    for (const line of this.#lines.values()) {
      const [item] = line.items;
      if (item === undefined) continue;
      this.remove(line.client, item);
      // Other clients come first now.
      if (this.#lines.delete(line.client) && line.items.length > 0) this.#lines.set(line.client, line);
      return item;
    }
    return undefined;
  }

  remove(client: string | undefined, item: Item): void {
    const items = this.#lines.get(client)?.items;
    const index = items?.indexOf(item) ?? -1;
    if (items === undefined || index === -1) return;
    items.splice(index, 1);
    this.#size -= 1;
    if (items.length === 0) this.#lines.delete(client);
  }

  /**
   * The item that makes room for one of this client's: the newest of the client with the most, if
   * that client still has as many as this one afterwards.
   */
  surplus(client: string | undefined): Item | undefined {
    let longest: readonly Item[] = [];
    for (const { items } of this.#lines.values()) if (items.length > longest.length) longest = items;
    const own = this.#lines.get(client)?.items.length ?? 0;
    return longest.length > own + 1 ? longest.at(-1) : undefined;
  }
}
