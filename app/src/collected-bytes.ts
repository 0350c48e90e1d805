/** Bytes of the first buffer. */
const INITIAL_SIZE = 1024;

/**
 * Bytes that arrive in pieces, copied into one buffer. The sender chooses the size of the pieces:
 * an array of one-byte pieces takes 400 times the memory of their bytes.
 */
export class CollectedBytes {
  #buffer = Buffer.alloc(0);
  #length = 0;

  get length(): number {
    return this.#length;
  }

  get bytes(): Buffer {
    return this.#buffer.subarray(0, this.#length);
  }

  add(piece: Uint8Array): void {
    const length = this.#length + piece.byteLength;
    if (length > this.#buffer.byteLength) {
      const larger = Buffer.allocUnsafe(Math.max(INITIAL_SIZE, length, 2 * this.#buffer.byteLength));
      this.bytes.copy(larger);
      this.#buffer = larger;
    }
    this.#buffer.set(piece, this.#length);
    this.#length = length;
  }
}
