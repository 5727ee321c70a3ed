import { matmul } from "../../kernels/matmul/matmul.ts";
import { assertShapes, type Tensor } from "../tensor.ts";
import { addColumnSums, convolve } from "./conv2d/operation.ts";

/**
 * x·W + b.
 * @param x `[N, in]`
 * @param weight `[in, out]` (the transpose of PyTorch's)
 * @param bias `[out]`
 * @returns `[N, out]`
 * @throws {ShapeError} if the shapes do not fit together.
 */
export function linear(x: Tensor, weight: Tensor, bias: Tensor): Tensor {
  const [rows = 0, inner = 0] = x.shape;
  const [weightRows, columns = 0] = weight.shape;
  assertShapes(
    x.shape.length === 2 && weight.shape.length === 2 && weightRows === inner && bias.size === columns,
    "a linear layer takes [N, in], weights [in, out] and a bias [out]",
    x,
    weight,
    bias,
  );
  // A wide layer is a convolution of images of one pixel, whose kernels have large tiles.
  if (inner % 4 === 0 && columns % 4 === 0) return asConvolution(x, weight, bias);
  const { context } = x;
  const plain = { transposeLeft: false, transposeRight: false, accumulate: false, bias: false };
  const output = context.empty([rows, columns]);
  context.launch(matmul, { ...plain, rows, columns, inner, bias: true }, {
    left: x,
    right: weight,
    bias,
    product: output,
  });
  const tape = context.tape;
  tape?.record([x, weight, bias], output, tape.wants(weight) ? [x] : [], (outputGradient) => {
    const byInput = tape.target(x);
    if (byInput) {
      context.launch(
        matmul,
        {
          ...plain,
          rows,
          columns: inner,
          inner: columns,
          transposeRight: true,
          accumulate: byInput.accumulate,
        },
        { left: outputGradient, right: weight, bias: weight, product: byInput.gradient },
      );
    }
    const byWeight = tape.target(weight);
    if (byWeight) {
      context.launch(
        matmul,
        { ...plain, rows: inner, columns, inner: rows, transposeLeft: true, accumulate: byWeight.accumulate },
        { left: x, right: outputGradient, bias: x, product: byWeight.gradient },
      );
    }
    const byBias = tape.target(bias);
    if (byBias) addColumnSums(outputGradient, byBias, columns);
  });
  return output;
}

function asConvolution(x: Tensor, weight: Tensor, bias: Tensor): Tensor {
  const [batch = 0, inChannels = 0] = x.shape;
  const outChannels = bias.size;
  const pixel = { height: 1, width: 1, kernel: 1, stride: 1, padding: 0 };
  return convolve(
    x,
    weight,
    bias,
    { ...pixel, batch, inChannels, outChannels },
    x.context.empty([batch, outChannels]),
  );
}
