/** Watches how much memory readers request, by replacing the constructors of buffers and typed arrays. */

/** A reader requested an array that no file of this size could justify. */
export class ExcessiveAllocation extends Error {
  override name = "ExcessiveAllocation";
}

let limit = Infinity;
let total = 0;
/** How many times the limit for one array a reader may request in total. Many small arrays fill the memory too. */
const totalFactor = 8;

type Constructor = { new (...args: unknown[]): object; readonly BYTES_PER_ELEMENT?: number };

const watched = [
  "ArrayBuffer",
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
      const bytes = typeof args[0] === "number" ? args[0] * (constructor.BYTES_PER_ELEMENT ?? 1) : 0;
      total += bytes;
      if (bytes > limit || total > totalFactor * limit) {
        throw new ExcessiveAllocation(
          `${name} of ${bytes} bytes, where ${limit} are the most, ${total} in all`,
        );
      }
      return Reflect.construct(constructor, args, target === watching ? constructor : target);
    },
  });
  Reflect.set(globalThis, name, watching);
}

/** Runs a reader that may allocate `bytes` at once, and a few times as many in total. */
export async function allocatingAtMost<Result>(
  bytes: number,
  read: () => Result | Promise<Result>,
): Promise<Result> {
  [limit, total] = [bytes, 0];
  try {
    return await read();
  } finally {
    limit = Infinity;
  }
}
