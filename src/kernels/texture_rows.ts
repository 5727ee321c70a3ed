/** How values lie in a texture that kernels read them through: `rgba32float`, row by row. */

/** Texels of a row, four float32 values each. */
export const texelsPerRow = 1024;
/** Bytes of a texel. */
const bytesPerTexel = 16;
/** Bytes of a row. */
const bytesPerRow = texelsPerRow * bytesPerTexel;

/** Rows that hold so many bytes. */
export function textureRows(bytes: number): number {
  return Math.ceil(bytes / bytesPerRow);
}

/** A texture of so many rows. */
export function createRows(device: GPUDevice, rows: number): GPUTexture {
  return device.createTexture({
    size: [texelsPerRow, rows],
    format: "rgba32float",
    usage: GPUTextureUsage.TEXTURE_BINDING | GPUTextureUsage.COPY_DST,
  });
}

/** Arguments of `copyBufferToTexture`. */
export interface TextureCopy {
  readonly source: GPUTexelCopyBufferInfo;
  readonly destination: GPUTexelCopyTextureInfo;
  readonly size: readonly [number, number];
}

/** The copies that bring a buffer's bytes, a multiple of 16, into a texture: whole rows, then what is left. */
export function copiesToRows(
  { buffer, offset, size }: { readonly buffer: GPUBuffer; readonly offset: number; readonly size: number },
  texture: GPUTexture,
): TextureCopy[] {
  const rows = Math.floor(size / bytesPerRow);
  const rest = (size - rows * bytesPerRow) / bytesPerTexel;
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
