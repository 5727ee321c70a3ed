/** Rows of logits as probabilities, in float64. */

/** softmax of each row, `[images, classes]`, of the logits divided by a temperature. */
export function softmaxRows(logits: Float32Array, classes: number, temperature = 1): Float64Array {
  const probabilities = new Float64Array(logits.length);
  for (let start = 0; start < logits.length; start += classes) {
    let highest = -Infinity;
    for (let c = 0; c < classes; c++) highest = Math.max(highest, logits[start + c]!);
    let total = 0;
    for (let c = 0; c < classes; c++) {
      total += probabilities[start + c] = Math.exp((logits[start + c]! - highest) / temperature);
    }
    for (let c = 0; c < classes; c++) probabilities[start + c]! /= total;
  }
  return probabilities;
}

/** The largest entry of each row, and its position (the first among equals). */
export function largestOfRows(
  rows: Float32Array | Float64Array,
  columns: number,
): { values: Float64Array; positions: Uint32Array } {
  const count = rows.length / columns;
  const values = new Float64Array(count).fill(-Infinity);
  const positions = new Uint32Array(count);
  rows.forEach((value, i) => {
    const row = Math.floor(i / columns);
    if (!(value > values[row]!)) return;
    values[row] = value;
    positions[row] = i % columns;
  });
  return { values, positions };
}
