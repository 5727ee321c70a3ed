/** Just enough of ONNX's protocol buffers to write a model of one node. */

type Field = readonly [number, number | string | Uint8Array];

/** A message of fields, each a number, text or bytes. */
function message(...fields: readonly Field[]): Uint8Array<ArrayBuffer> {
  const parts = fields.flatMap(([number, value]) => {
    if (typeof value === "number") return [varint(number << 3), varint(value)];
    const bytes = typeof value === "string" ? new TextEncoder().encode(value) : value;
    return [varint(number << 3 | 2), varint(bytes.length), bytes];
  });
  const whole = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let end = 0;
  for (const part of parts) {
    whole.set(part, end);
    end += part.length;
  }
  return whole;
}

function varint(value: number): Uint8Array {
  const bytes: number[] = [];
  for (; value >= 128; value = Math.floor(value / 128)) bytes.push(value % 128 | 128);
  return Uint8Array.from([...bytes, value]);
}

const float32 = 1;

function valueInfo(name: string, shape: readonly number[]): Uint8Array {
  const dimensions = shape.map((extent): Field => [1, message([1, extent])]);
  return message([1, name], [2, message([1, message([1, float32], [2, message(...dimensions)])])]);
}

function tensor(name: string, shape: readonly number[], values: Float32Array): Uint8Array {
  const dimensions = shape.map((extent): Field => [1, extent]);
  const raw = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
  return message(...dimensions, [2, float32], [8, name], [9, raw]);
}

function model(
  operator: string,
  attributes: readonly Uint8Array[],
  weight: Uint8Array,
  input: readonly number[],
  output: readonly number[],
): Uint8Array<ArrayBuffer> {
  const node = message(
    [1, "x"],
    [1, "w"],
    [2, "y"],
    [4, operator],
    ...attributes.map((one): Field => [5, one]),
  );
  const graph = message([1, node], [2, "benchmark"], [5, weight], [11, valueInfo("x", input)], [
    12,
    valueInfo("y", output),
  ]);
  return message([1, 8], [7, graph], [8, message([2, 17])]);
}

/** 3×3, stride 1, one row and column of zeros around; images `[N, C, H, W]`, weights `[out, in, 3, 3]`. */
export function convolutionModel(
  images: readonly number[],
  channels: number,
  weights: Float32Array,
): Uint8Array<ArrayBuffer> {
  const ints = 7;
  const attribute = (name: string, values: readonly number[]) =>
    message([1, name], ...values.map((value): Field => [8, value]), [20, ints]);
  const attributes = [attribute("pads", [1, 1, 1, 1]), attribute("strides", [1, 1])];
  return model("Conv", attributes, tensor("w", [channels, channels, 3, 3], weights), images, images);
}

/** x · w of square matrices. */
export function matmulModel(size: number, weights: Float32Array): Uint8Array<ArrayBuffer> {
  const shape = [size, size];
  return model("MatMul", [], tensor("w", shape, weights), shape, shape);
}
