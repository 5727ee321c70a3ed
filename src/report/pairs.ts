/** Pictures side by side, each pair with its distance. */

import { imageGrid, type ImagesShape } from "../formats/pictures/image_grid.ts";
import { encodePng } from "../formats/pictures/png.ts";

/** Two images and how far they are apart. */
export interface Pair {
  /** In [−1, 1], `[height, width, channels]`. */
  readonly left: Float32Array;
  readonly right: Float32Array;
  readonly distance: number;
}

const smallestSide = 32;
const [gap, lineHeight, fontSize] = [12, 14, 10];

/** A distance with three digits, or with all digits before the point. */
export function distanceText(distance: number): string {
  return distance < 100 ? distance.toPrecision(3) : distance.toFixed(0);
}

/**
 * Rows of pairs as an SVG document: the two images beside each other, the distance in figures below.
 * @param shape of one image
 */
export function pairsFigure(
  rows: readonly (readonly Pair[])[],
  { height, width, channels }: Omit<ImagesShape, "count">,
): string {
  const scale = Math.ceil(smallestSide / Math.min(height, width));
  const [w, h] = [scale * width, scale * height];
  const [cellWidth, cellHeight] = [2 * w + 1 + gap, h + lineHeight + gap / 2];
  const picture = (image: Float32Array, x: number, y: number) => {
    const png = encodePng(imageGrid(image, { count: 1, height, width, channels }, { scale, gap: 0 }));
    return `<image x="${x}" y="${y}" width="${w}" height="${h}" style="image-rendering:pixelated" ` +
      `href="data:image/png;base64,${png.toBase64()}"/>`;
  };
  const cells = rows.flatMap((row, i) =>
    row.map(({ left, right, distance }, k) => {
      const [x, y] = [k * cellWidth, i * cellHeight];
      const middle = x + w + 0.5;
      return picture(left, x, y) + picture(right, x + w + 1, y) +
        `<text x="${middle}" y="${y + h + fontSize + 1}">${distanceText(distance)}</text>`;
    })
  );
  const total = [Math.max(...rows.map(({ length }) => length)) * cellWidth - gap, rows.length * cellHeight];
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${total[0]}" height="${total[1]}" ` +
    `viewBox="0 0 ${total[0]} ${total[1]}"><g class="role-axis-label" fill="#333333" text-anchor="middle" ` +
    `font-family="DejaVu Sans, sans-serif" font-size="${fontSize}">${cells.join("")}</g></svg>`;
}
