/** How values lie in a texture that kernels read them through: `rgba32float`, row by row. */

/** Texels of a row, four float32 values each. */
export const texelsPerRow = 1024;
/** Bytes of a texel. */
const bytesPerTexel = 16;
/** Bytes of a row. */
export const bytesPerRow = texelsPerRow * bytesPerTexel;

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

/** Encodes the copy of a buffer's bytes, a multiple of 16, into a texture: whole rows, then what is left. */
export function encodeUpload(
  encoder: GPUCommandEncoder,
  { buffer, offset, size }: { readonly buffer: GPUBuffer; readonly offset: number; readonly size: number },
  texture: GPUTexture,
): void {
  const rows = Math.floor(size / bytesPerRow);
  const rest = (size - rows * bytesPerRow) / bytesPerTexel;
  if (rows > 0) {
    encoder.copyBufferToTexture({ buffer, offset, bytesPerRow }, { texture }, [texelsPerRow, rows]);
  }
  if (rest > 0) {
    const last = { buffer, offset: offset + rows * bytesPerRow, bytesPerRow };
    encoder.copyBufferToTexture(last, { texture, origin: [0, rows] }, [rest, 1]);
  }
}
