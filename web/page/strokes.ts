/** Drawings as strokes, and as the images that a model takes. */

/** A point of the pad, whose corners are (0, 0) and (1, 1). */
export interface Point {
  readonly x: number;
  readonly y: number;
}

/** Points that the pen went through. */
export type Stroke = readonly Point[];

/** Radius of the pen as a share of the pad: the strokes of the digits are about three of 32 pixels wide. */
export const penRadius = 1.6 / 32;
/** Bitmap pixels along each side of an image's pixel, as in the digits, which were 32×32 bitmaps. */
const oversampling = 4;

/** Shifts and scales a drawing so that its strokes fill the frame in the longer direction, as the digits do. */
export function fitToFrame(strokes: readonly Stroke[]): Stroke[] {
  const points = strokes.flat();
  if (points.length === 0) return [];
  const bounds = (values: number[]) => [Math.min(...values), Math.max(...values)] as const;
  const [left, right] = bounds(points.map(({ x }) => x));
  const [top, bottom] = bounds(points.map(({ y }) => y));
  const extent = Math.max(right - left, bottom - top);
  const scale = extent > penRadius ? (1 - 2 * penRadius) / extent : 1;
  const centre = { x: (left + right) / 2, y: (top + bottom) / 2 };
  return strokes.map((stroke) =>
    stroke.map(({ x, y }) => ({ x: 0.5 + (x - centre.x) * scale, y: 0.5 + (y - centre.y) * scale }))
  );
}

/**
 * An image of `side`² pixels in [−1, 1]. Each pixel is the share of inked pixels in its block of a bitmap, as in the
 * making of the digits.
 */
export function rasterise(strokes: readonly Stroke[], side: number): Float32Array<ArrayBuffer> {
  const fine = side * oversampling;
  const bitmap = new Uint8Array(fine * fine);
  for (const stroke of strokes) {
    stroke.forEach((point, i) => inkSegment(bitmap, fine, stroke[Math.max(0, i - 1)]!, point));
  }
  const image = new Float32Array(side * side).fill(-1);
  const share = 2 / oversampling ** 2;
  bitmap.forEach((inked, i) => {
    const [x, y] = [i % fine, Math.floor(i / fine)];
    image[Math.floor(y / oversampling) * side + Math.floor(x / oversampling)]! += inked * share;
  });
  return image;
}

/** Inks the bitmap's pixels whose centres are within the pen's radius of a segment. */
function inkSegment(bitmap: Uint8Array, side: number, from: Point, to: Point): void {
  const radius = penRadius * side;
  const [x0, y0, x1, y1] = [from.x, from.y, to.x, to.y].map((value) => value * side) as [
    number,
    number,
    number,
    number,
  ];
  const clamp = (value: number) => Math.min(side - 1, Math.max(0, Math.floor(value)));
  const length = (x1 - x0) ** 2 + (y1 - y0) ** 2;
  for (let y = clamp(Math.min(y0, y1) - radius); y <= clamp(Math.max(y0, y1) + radius); y++) {
    for (let x = clamp(Math.min(x0, x1) - radius); x <= clamp(Math.max(x0, x1) + radius); x++) {
      const [dx, dy] = [x + 0.5 - x0, y + 0.5 - y0];
      const along = length > 0 ? Math.min(1, Math.max(0, (dx * (x1 - x0) + dy * (y1 - y0)) / length)) : 0;
      const distance = Math.hypot(dx - along * (x1 - x0), dy - along * (y1 - y0));
      if (distance <= radius) bitmap[y * side + x] = 1;
    }
  }
}
