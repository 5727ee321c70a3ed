/**
 * The compute kernels by themselves, to be embedded in any WebGPU program: each is WGSL text with what a shape makes of
 * its constants, binding sizes and workgroup counts. They depend on the standard WebGPU types alone and keep to WebGPU's
 * default limits; `docs/kernels.md` describes them all.
 *
 * @module
 */

export { actNormStatistics } from "./act_norm_statistics.ts";
export { adamStep, type AdamStepShape } from "./adam_step.ts";
export { add, type ScaledVectorShape, type VectorShape } from "./add.ts";
export { addInto } from "./add_into.ts";
export { broadcast } from "./broadcast.ts";
export { classMeans, type ClassShape } from "./class_means.ts";
export { columnSumChunks, columnSums, type ColumnSumsShape } from "./column_sums.ts";
export { compile, type CompiledKernel, type Dispatch, type Place } from "./compile.ts";
export {
  type Conv2dForward,
  conv2dForward,
  conv2dForwardCompact,
  conv2dForwardTexture,
} from "./conv2d_forward.ts";
export {
  type Conv2dGradientInput,
  conv2dGradientInput,
  conv2dGradientInputCompact,
  type Conv2dGradientInputShape,
  conv2dGradientInputTexture,
} from "./conv2d_gradient_input.ts";
export {
  type Conv2dGradientWeight,
  conv2dGradientWeight,
  conv2dGradientWeightCompact,
  conv2dGradientWeightTexture,
} from "./conv2d_gradient_weight.ts";
export { conv2dTurnWeight, type Conv2dWeightShape } from "./conv2d_turn_weight.ts";
export { conv2dPatch, type Conv2dPatchShape, gradientConvolution, suitsPatches } from "./conv2d_patch.ts";
export { type Conv2dShape, conv2dSizes, outputSize } from "./conv2d_shape.ts";
export { divergence, type DivergenceShape } from "./divergence.ts";
export { dropout, type DropoutShape } from "./dropout.ts";
export { expandImages, type ExpandImagesShape } from "./expand_images.ts";
export { fitColumns, type FitColumnsShape } from "./fit_columns.ts";
export { forkStream } from "./fork_stream.ts";
export { globalAveragePool, globalAveragePoolBackward, type PoolShape } from "./global_average_pool.ts";
export { inHalf } from "./half.ts";
export { inceptionConv, inceptionConvOutputSize, type InceptionConvShape } from "./inception_conv.ts";
export { informativeSample, type InformativeSampleShape } from "./informative_sample.ts";
export {
  type Binding,
  bytes32,
  constantsOf,
  entryPointOf,
  foldWorkgroups,
  type Kernel,
  uniformBinding,
  type Uniforms,
} from "./kernel.ts";
export { layerNormStatistics } from "./layer_norm_statistics.ts";
export { layerNormSums } from "./layer_norm_sums.ts";
export { leakyRelu, leakyReluBackward, type LeakyReluShape } from "./leaky_relu.ts";
export { exceededLimit } from "./limits.ts";
export { logSumExp, logSumExpBackward, type RowsShape } from "./log_sum_exp.ts";
export { matmul, type MatmulShape } from "./matmul.ts";
export { multiply, multiplyInto } from "./multiply.ts";
export { type NormActivationShape, normApply } from "./norm_apply.ts";
export { normBackwardApply, type NormBackwardShape } from "./norm_backward_apply.ts";
export { normBackwardMoments } from "./norm_backward_moments.ts";
export { normBackwardSums } from "./norm_backward_sums.ts";
export { normChunks, normMoments, type NormShape } from "./norm_moments.ts";
export { normRunning, type NormRunningShape } from "./norm_running.ts";
export {
  actNormInitialise,
  normStatistics,
  normStatisticsAndRunning,
  type NormStatisticsShape,
  type RunningStatisticsShape,
} from "./norm_statistics.ts";
export { type PgdShape, pgdStepL2, pgdStepLinf } from "./pgd_step.ts";
export { philoxNormal, philoxUniform, type RandomShape } from "./philox.ts";
export { pool2d, pool2dOutputSize, type Pool2dShape } from "./pool2d.ts";
export { reduceSum } from "./reduce_sum.ts";
export { replayGather, type ReplayShape } from "./replay_gather.ts";
export { replayScatter } from "./replay_scatter.ts";
export { resizeBilinear, type ResizeBilinearShape } from "./resize_bilinear.ts";
export { type Contents, type Operand, run } from "./run.ts";
export { samAscent } from "./sam_ascent.ts";
export { samNorm, samNormPartials, type SamShape } from "./sam_norm.ts";
export { samScale, type SamScaleShape } from "./sam_scale.ts";
export { selectColumn, selectColumnBackward } from "./select_column.ts";
export { sgdStep, type SgdStepShape } from "./sgd_step.ts";
export { sgldStep, type SgldStepShape } from "./sgld_step.ts";
export { softmaxCrossEntropy, softmaxCrossEntropyBackward } from "./softmax_cross_entropy.ts";
export { sumPartials, type SumPartialsShape } from "./sum_partials.ts";
export { winogradInput, type WinogradInputShape } from "./winograd_input.ts";
export { winogradOutput, type WinogradOutputShape } from "./winograd_output.ts";
export { winogradOutputGradient, type WinogradOutputGradientShape } from "./winograd_output_gradient.ts";
export { winogradProduct, type WinogradProductShape } from "./winograd_product.ts";
export { type WinogradOutputs, winogradTiles, winogradValues } from "./winograd_shape.ts";
export { winogradWeight, type WinogradWeightShape } from "./winograd_weight.ts";
export { winogradWeightGradient, type WinogradWeightGradientShape } from "./winograd_weight_gradient.ts";
export {
  winogradWeightParts,
  winogradWeightProduct,
  type WinogradWeightProductShape,
} from "./winograd_weight_product.ts";
