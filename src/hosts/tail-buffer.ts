const CHUNKS_BEFORE_COMPACTION = 128;

/** Keeps the last `limit` bytes of what is added; memory stays within the limit and a chunk, however much comes. */
export class TailBuffer {
  readonly #limit: number;
  #chunks: Buffer[] = [];
  #held = 0;
  #dropped = false;

  constructor(limit: number) {
    this.#limit = Math.max(0, limit);
  }

  add(chunk: Buffer): void {
    this.#chunks.push(chunk);
    this.#held += chunk.length;
    let first = this.#chunks[0];
    while (first && this.#held - first.length >= this.#limit && this.#held > this.#limit) {
      this.#chunks.shift();
      this.#held -= first.length;
      this.#dropped = true;
      first = this.#chunks[0];
    }
    // A program that writes byte by byte would otherwise hold one object for each.
    if (this.#chunks.length > CHUNKS_BEFORE_COMPACTION) this.#chunks = [Buffer.concat(this.#chunks)];
  }

  /** True when the beginning was dropped. */
  get truncated(): boolean {
    return this.#dropped || this.#held > this.#limit;
  }

  bytes(): Buffer {
    const all = Buffer.concat(this.#chunks);
    return all.length > this.#limit ? all.subarray(all.length - this.#limit) : all;
  }
}

/** Text of bytes that may have been cut in front: the rest of a halved character is left out, broken ones become U+FFFD. */
export function decodeTail(bytes: Buffer, cutInFront: boolean): string {
  return bytes.subarray(cutInFront ? continuationBytes(bytes) : 0).toString('utf8');
}

/** How many bytes at the beginning belong to a UTF-8 character that began earlier. */
export function continuationBytes(bytes: Uint8Array): number {
  let count = 0;
  while (count < 3 && count < bytes.length && ((bytes[count] ?? 0) & 0xc0) === 0x80) count += 1;
  return count;
}
