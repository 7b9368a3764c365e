/** Hands values from whoever pushes to one reader, in order. Ends when closed, after what was pushed before. */
export interface Channel<Value> extends AsyncIterable<Value> {
  push(value: Value): void;
  close(): void;
}

export function createChannel<Value>(): Channel<Value> {
  const waiting: Value[] = [];
  let wake: (() => void) | null = null;
  let closed = false;
  const stir = () => {
    wake?.();
    wake = null;
  };
  return {
    push(value) {
      if (closed) return;
      waiting.push(value);
      stir();
    },
    close() {
      closed = true;
      stir();
    },
    async *[Symbol.asyncIterator]() {
      for (;;) {
        const next = waiting.shift();
        if (next !== undefined) yield next;
        else if (closed) return;
        else {
          await new Promise<void>((resolve) => {
            wake = resolve;
          });
        }
      }
    },
  };
}
