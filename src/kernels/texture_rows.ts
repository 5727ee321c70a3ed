/** Layout of values in a texture that kernels read them through: four in a texel, row by row. */

/** Texels in a row. */
export const texelsPerRow = 1024;

/** Formats of such textures, for float32 and for float16. */
export type RowsFormat = "rgba32float" | "rgba16float";

const bytesPerTexel = { rgba32float: 16, rgba16float: 8 } as const;

/** The format through which a binding is read. */
export function rowsFormat({ half }: { readonly half?: true }): RowsFormat {
  return half ? "rgba16float" : "rgba32float";
}

/** Number of rows that hold a number of bytes. */
export function textureRows(bytes: number, format: RowsFormat): number {
  return Math.ceil(bytes / bytesPerTexel[format] / texelsPerRow);
}

/** A texture with the given number of rows. */
export function createRows(device: GPUDevice, rows: number, format: RowsFormat): GPUTexture {
  return device.createTexture({
    size: [texelsPerRow, rows],
    format,
    usage: GPUTextureUsage.TEXTURE_BINDING | GPUTextureUsage.COPY_DST,
  });
}

/** Arguments of `copyBufferToTexture`. */
export interface TextureCopy {
  readonly source: GPUTexelCopyBufferInfo;
  readonly destination: GPUTexelCopyTextureInfo;
  readonly size: readonly [number, number];
}

/** The copies that move a buffer's bytes, whole texels, into a texture: whole rows, then the rest. */
export function copiesToRows(
  { buffer, offset, size }: { readonly buffer: GPUBuffer; readonly offset: number; readonly size: number },
  texture: GPUTexture,
): TextureCopy[] {
  const texel = bytesPerTexel[texture.format as RowsFormat];
  const bytesPerRow = texelsPerRow * texel;
  const rows = Math.floor(size / bytesPerRow);
  const rest = (size - rows * bytesPerRow) / texel;
  const whole: TextureCopy = {
    source: { buffer, offset, bytesPerRow },
    destination: { texture },
    size: [texelsPerRow, rows],
  };
  const last: TextureCopy = {
    source: { buffer, offset: offset + rows * bytesPerRow, bytesPerRow },
    destination: { texture, origin: [0, rows] },
    size: [rest, 1],
  };
  return [...(rows > 0 ? [whole] : []), ...(rest > 0 ? [last] : [])];
}
