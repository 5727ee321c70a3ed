import {
  softmaxCrossEntropy as crossEntropyKernel,
  softmaxCrossEntropyBackward,
} from "../../kernels/loss/softmax_cross_entropy.ts";
import { assertShapes, type Tensor } from "../tensor.ts";

/**
 * −log softmax(logits)[label] for each row, and whether the largest logit is the label's.
 * @param logits `[N, C]`
 * @param labels uint32 `[N]`; a label of C or more gives a loss of NaN
 * @returns `losses` and `correct` (1 or 0), `[N]` each; only the losses are differentiable
 * @throws {ShapeError} unless there is one label for each row.
 */
export function softmaxCrossEntropy(logits: Tensor, labels: Tensor): { losses: Tensor; correct: Tensor } {
  const [rows = 0, columns = 0] = logits.shape;
  assertShapes(
    labels.type === "uint32" && labels.size === rows,
    "cross-entropy takes [N, C] and uint32 labels [N]",
    logits,
    labels,
  );
  const { context } = logits;
  const losses = context.empty([rows]);
  const correct = context.empty([rows]);
  context.launch(crossEntropyKernel, { rows, columns }, { logits, labels, losses, correct });
  const tape = context.tape;
  tape?.record([logits], losses, [logits, labels], (lossGradient) => {
    const { gradient: logitsGradient, accumulate } = tape.target(logits)!;
    context.launch(softmaxCrossEntropyBackward, { rows, columns, accumulate }, {
      logits,
      labels,
      lossGradient,
      logitsGradient,
    });
  });
  return { losses, correct };
}
