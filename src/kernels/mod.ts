/**
 * The compute kernels by themselves, to embed in any WebGPU program. Each is WGSL text with functions that return its
 * constants, binding sizes and workgroup counts for a shape. They depend on the standard WebGPU types alone and keep
 * within WebGPU's default limits. `docs/kernels.md` describes them all.
 *
 * @module
 */

export { actNormStatistics } from "./norm/act_statistics.ts";
export { adamStep, type AdamStepShape } from "./optimiser/adam_step.ts";
export { add, type ScaledVectorShape, type VectorShape } from "./vector/add.ts";
export { addInto } from "./vector/add_into.ts";
export { broadcast } from "./vector/broadcast.ts";
export { classMeans, type ClassShape } from "./chains/class_means.ts";
export { columnSumChunks, columnSums, type ColumnSumsShape } from "./reduce/column_sums.ts";
export { compile, type CompiledKernel, type Dispatch, type Place } from "./compile.ts";
export {
  type Conv2dForward,
  conv2dForward,
  conv2dForwardCompact,
  conv2dForwardTexture,
} from "./conv2d/forward.ts";
export {
  type Conv2dGradientInput,
  conv2dGradientInput,
  conv2dGradientInputCompact,
  type Conv2dGradientInputShape,
  conv2dGradientInputTexture,
} from "./conv2d/gradient_input.ts";
export {
  type Conv2dGradientWeight,
  conv2dGradientWeight,
  conv2dGradientWeightCompact,
  conv2dGradientWeightTexture,
} from "./conv2d/gradient_weight.ts";
export { conv2dTurnWeight, type Conv2dWeightShape } from "./conv2d/turn_weight.ts";
export { conv2dPatch, type Conv2dPatchShape, gradientConvolution, suitsPatches } from "./conv2d/patch.ts";
export {
  conv2dForwardPatch,
  conv2dGradientInputPatch,
  suitsForwardPatch,
  suitsGradientInputPatch,
} from "./conv2d/patch_staged.ts";
export { type Conv2dShape, conv2dSizes, outputSize } from "./conv2d/shape.ts";
export { divergence, type DivergenceOptions } from "./optimiser/divergence.ts";
export { dropout, type DropoutShape } from "./vector/dropout.ts";
export { expandImages, type ExpandImagesShape } from "./images/expand.ts";
export { fitColumns, type FitColumnsShape } from "./vector/fit_columns.ts";
export { forkStream } from "./random/fork_stream.ts";
export { gaussianSample, type GaussianSampleShape } from "./chains/gaussian_sample.ts";
export { globalAveragePool, globalAveragePoolBackward, type PoolShape } from "./pool/global_average_pool.ts";
export { type AdapterKind, type GpuKind, gpuKind } from "./gpu_kind.ts";
export { inHalf } from "./half.ts";
export { inceptionConv, inceptionConvOutputSize, type InceptionConvShape } from "./conv2d/inception.ts";
export { informativeSample, type InformativeSampleShape } from "./chains/informative_sample.ts";
export {
  type Binding,
  bytes32,
  constantsOf,
  entryPointOf,
  foldWorkgroups,
  type Kernel,
  suited,
  uniformBinding,
  type Uniforms,
} from "./kernel.ts";
export { layerNormStatistics } from "./norm/layer_statistics.ts";
export { layerNormSums } from "./norm/layer_sums.ts";
export { leakyRelu, leakyReluBackward, type LeakyReluShape } from "./vector/leaky_relu.ts";
export { exceededLimit } from "./limits.ts";
export { logSumExp, logSumExpBackward, type RowsShape } from "./loss/log_sum_exp.ts";
export { matmul, type MatmulShape } from "./matmul/matmul.ts";
export { multiply, multiplyInto } from "./vector/multiply.ts";
export { type NormActivationShape, normApply } from "./norm/apply.ts";
export { normBackwardApply, type NormBackwardShape } from "./norm/backward_apply.ts";
export { normBackwardMoments } from "./norm/backward_moments.ts";
export { normBackwardSums } from "./norm/backward_sums.ts";
export { normChunks, normMoments, type NormShape } from "./norm/moments.ts";
export { normRunning, type NormRunningShape } from "./norm/running.ts";
export {
  actNormInitialise,
  normStatistics,
  normStatisticsAndRunning,
  type NormStatisticsShape,
  type RunningStatisticsShape,
} from "./norm/statistics.ts";
export { type PgdShape, pgdStepL2, pgdStepLinf } from "./attack/pgd_step.ts";
export { philoxNormal, philoxUniform, type RandomShape } from "./random/philox.ts";
export { pool2d, pool2dOutputSize, type Pool2dShape } from "./pool/pool2d.ts";
export { reduceSum } from "./reduce/reduce_sum.ts";
export { replayGather, type ReplayShape } from "./chains/replay_gather.ts";
export { replayScatter } from "./chains/replay_scatter.ts";
export { resizeBilinear, type ResizeBilinearShape } from "./images/resize_bilinear.ts";
export { type Contents, type Operand, run } from "./run.ts";
export { samAscent } from "./optimiser/sam_ascent.ts";
export { samNorm, samNormPartials, type SamShape } from "./optimiser/sam_norm.ts";
export { samScale, type SamScaleOptions } from "./optimiser/sam_scale.ts";
export { selectColumn, selectColumnBackward } from "./loss/select_column.ts";
export { sgdStep, type SgdStepShape } from "./optimiser/sgd_step.ts";
export { sgldStep, type SgldStepShape } from "./chains/sgld_step.ts";
export { softmaxCrossEntropy, softmaxCrossEntropyBackward } from "./loss/softmax_cross_entropy.ts";
export { sumPartials, type SumPartialsShape } from "./reduce/sum_partials.ts";
export { winogradInput, type WinogradInputShape } from "./winograd/input.ts";
export { winogradOutput, type WinogradOutputShape } from "./winograd/output.ts";
export { winogradOutputGradient, type WinogradOutputGradientShape } from "./winograd/output_gradient.ts";
export { winogradProduct, type WinogradProductShape } from "./winograd/product.ts";
export { type WinogradOutputs, winogradTiles, winogradValues } from "./winograd/shape.ts";
export { winogradWeight, type WinogradWeightShape } from "./winograd/weight.ts";
export { winogradWeightGradient, type WinogradWeightGradientShape } from "./winograd/weight_gradient.ts";
export {
  winogradWeightParts,
  winogradWeightProduct,
  type WinogradWeightProductShape,
} from "./winograd/weight_product.ts";
