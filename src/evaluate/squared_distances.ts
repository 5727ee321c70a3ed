/** Distances between features, a block of rows at a time. */

/** Rows and columns of a tile, whose sums stay in registers. */
const tileRows = 2;
const tileColumns = 4;

/**
 * Squared Euclidean distances of some rows of one set to all rows of another, in float64.
 *
 * Each is Σ (aₖ − bₖ)², summed in the order of k. The differences are taken first, because |a|² + |b|² − 2a·b would
 * lose the digits in which near neighbours differ. No term is negative, so the relative error of the sum is at most
 * (dimension + 2)·2⁻⁵³. Equal rows are exactly 0 apart. The distance from a to b equals that from b to a, and no
 * distance depends on its block, bit for bit.
 * @param first features `[n, dimension]`
 * @param second features `[m, dimension]`
 * @param start the first of the rows of `first`
 * @param count the number of its rows
 * @returns `[count, m]`
 */
export function squaredDistances(
  first: Float32Array,
  second: Float32Array,
  dimension: number,
  start: number,
  count: number,
): Float64Array<ArrayBuffer> {
  const columns = second.length / dimension;
  const distances = new Float64Array(count * columns);
  const panels: Float64Array[] = [];
  for (let row = 0; row < count; row += tileRows) {
    panels.push(new Float64Array(dimension * tileRows));
    interleave(first, start + row, Math.min(tileRows, count - row), dimension, panels.at(-1)!, tileRows);
  }
  const panel = new Float64Array(dimension * tileColumns);
  const sums = new Float64Array(tileRows * tileColumns);
  for (let column = 0; column < columns; column += tileColumns) {
    const width = Math.min(tileColumns, columns - column);
    interleave(second, column, width, dimension, panel, tileColumns);
    for (let row = 0; row < count; row += tileRows) {
      sumTile(panels[row / tileRows]!, panel, dimension, sums);
      for (let i = 0; i < Math.min(tileRows, count - row); i++) {
        const at = (row + i) * columns + column;
        for (let j = 0; j < width; j++) distances[at + j] = sums[i * tileColumns + j]!;
      }
    }
  }
  return distances;
}

/** Lays rows side by side: element k of row r at k·width + r. */
function interleave(
  features: Float32Array,
  first: number,
  rows: number,
  dimension: number,
  panel: Float64Array,
  width: number,
): void {
  for (let r = 0; r < rows; r++) {
    const from = (first + r) * dimension;
    for (let k = 0, to = r; k < dimension; k++, to += width) panel[to] = features[from + k]!;
  }
}

/** Eight sums at a time. Destructured arrays instead of the plain names here make it seven times as slow. */
function sumTile(a: Float64Array, b: Float64Array, dimension: number, sums: Float64Array): void {
  let s00 = 0, s01 = 0, s02 = 0, s03 = 0;
  let s10 = 0, s11 = 0, s12 = 0, s13 = 0;
  for (let k = 0, i = 0, j = 0; k < dimension; k++, i += tileRows, j += tileColumns) {
    const a0 = a[i]!, a1 = a[i + 1]!;
    const b0 = b[j]!, b1 = b[j + 1]!, b2 = b[j + 2]!, b3 = b[j + 3]!;
    let difference = a0 - b0;
    s00 += difference * difference;
    difference = a0 - b1;
    s01 += difference * difference;
    difference = a0 - b2;
    s02 += difference * difference;
    difference = a0 - b3;
    s03 += difference * difference;
    difference = a1 - b0;
    s10 += difference * difference;
    difference = a1 - b1;
    s11 += difference * difference;
    difference = a1 - b2;
    s12 += difference * difference;
    difference = a1 - b3;
    s13 += difference * difference;
  }
  sums[0] = s00;
  sums[1] = s01;
  sums[2] = s02;
  sums[3] = s03;
  sums[4] = s10;
  sums[5] = s11;
  sums[6] = s12;
  sums[7] = s13;
}
