/** Watches how much memory readers ask for at once, by standing in for the constructors of typed arrays. */

/** An array that no file of this size could justify. */
export class ExcessiveAllocation extends Error {
  override name = "ExcessiveAllocation";
}

let limit = Infinity;

type Constructor = { new (...args: unknown[]): object; readonly BYTES_PER_ELEMENT: number };

const watched = [
  "Uint8Array",
  "Uint16Array",
  "Int32Array",
  "Uint32Array",
  "Float32Array",
  "Float64Array",
  "BigInt64Array",
];

for (const name of watched) {
  const original: Constructor = Reflect.get(globalThis, name);
  const watching: Constructor = new Proxy(original, {
    construct(constructor, args: unknown[], target): object {
      const bytes = typeof args[0] === "number" ? args[0] * constructor.BYTES_PER_ELEMENT : 0;
      if (bytes > limit) {
        throw new ExcessiveAllocation(`${name} of ${bytes} bytes, where ${limit} are the most`);
      }
      return Reflect.construct(constructor, args, target === watching ? constructor : target);
    },
  });
  Reflect.set(globalThis, name, watching);
}

/** Runs a reader that may allocate so many bytes at once. */
export async function allocatingAtMost<Result>(
  bytes: number,
  read: () => Result | Promise<Result>,
): Promise<Result> {
  limit = bytes;
  try {
    return await read();
  } finally {
    limit = Infinity;
  }
}
