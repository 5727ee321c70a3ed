/**
 * PyTorch's memory layouts and this project's: images `[N, C, H, W]` and `[N, H, W, C]`, convolution weights
 * `[out, in, kh, kw]` and `[kh, kw, in, out]`, linear weights `[out, in]` and `[in, out]`.
 */

/** A float32 array on the host. */
export interface HostTensor {
  readonly shape: readonly number[];
  readonly data: Float32Array;
}

/** A parameter from this project's layout to PyTorch's. */
export function parameterToPyTorch(parameter: HostTensor): HostTensor {
  return permute(parameter, parameter.shape.length === 4 ? [3, 2, 0, 1] : reversed(parameter));
}

/** A parameter from PyTorch's layout to this project's. */
export function parameterFromPyTorch(parameter: HostTensor): HostTensor {
  return permute(parameter, parameter.shape.length === 4 ? [2, 3, 1, 0] : reversed(parameter));
}

/** Images `[N, H, W, C]` to `[N, C, H, W]`. */
export function imagesToPyTorch(images: HostTensor): HostTensor {
  return permute(images, [0, 3, 1, 2]);
}

/** Images `[N, C, H, W]` to `[N, H, W, C]`. */
export function imagesFromPyTorch(images: HostTensor): HostTensor {
  return permute(images, [0, 2, 3, 1]);
}

function reversed({ shape }: HostTensor): number[] {
  return shape.map((_, axis) => shape.length - 1 - axis);
}

/** Reorders axes: axis i of the result is axis `order[i]` of the argument. */
function permute({ shape, data }: HostTensor, order: readonly number[]): HostTensor {
  const strides = shape.map((_, axis) =>
    shape.slice(axis + 1).reduce((product, extent) => product * extent, 1)
  );
  const newShape = order.map((axis) => shape[axis]!);
  const newStrides = order.map((axis) => strides[axis]!);
  const result = new Float32Array(data.length);
  const index = newShape.map(() => 0);
  let source = 0;
  for (let i = 0; i < result.length; i++) {
    result[i] = data[source]!;
    for (let axis = newShape.length - 1; axis >= 0; axis--) {
      source += newStrides[axis]!;
      if (++index[axis]! < newShape[axis]!) break;
      source -= newStrides[axis]! * newShape[axis]!;
      index[axis] = 0;
    }
  }
  return { shape: newShape, data: result };
}
