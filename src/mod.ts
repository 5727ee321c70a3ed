/**
 * sada-jem: joint energy-based models with SADA-JEM training, on WebGPU.
 *
 * Everything here runs in a browser as well as in Deno. Training runs on disk and the commands are in `src/train/` and
 * `src/cli/`; single kernels, to be embedded in other WebGPU programs, in `src/kernels/`.
 *
 * @module
 */

export * from "./errors.ts";
export { type Counters, Gpu } from "./gpu/gpu.ts";
export { Plan } from "./gpu/plan.ts";
export { Context, type ContextOptions, type Variables } from "./tensor/context.ts";
export { type ElementType } from "./tensor/element_type.ts";
export { Tensor } from "./tensor/tensor.ts";
export { Parameter, ParameterSet } from "./tensor/parameters.ts";
export { add, multiply } from "./tensor/operations/arithmetic.ts";
export { batchNorm, type BatchNormOptions, type NormMode } from "./tensor/operations/batch_norm.ts";
export { actNorm, type ActNormParameters, initialiseActNorm } from "./tensor/operations/act_norm.ts";
export { type ImageNormOptions, instanceNorm, layerNorm } from "./tensor/operations/image_norms.ts";
export { dropout } from "./tensor/operations/dropout.ts";
export { conv2d, type Conv2dOptions } from "./tensor/operations/conv2d/operation.ts";
export { type Conv2dChooser } from "./tensor/operations/conv2d/choice.ts";
export { conv2dChooser, type Conv2dTable, parseConv2dTable } from "./tensor/operations/conv2d/table.ts";
export { globalAveragePool } from "./tensor/operations/global_average_pool.ts";
export { leakyRelu } from "./tensor/operations/leaky_relu.ts";
export { linear } from "./tensor/operations/linear.ts";
export { logSumExp } from "./tensor/operations/log_sum_exp.ts";
export { normal, uniform } from "./tensor/operations/random.ts";
export { mean, sum } from "./tensor/operations/reduce.ts";
export { concatenate, rows } from "./tensor/operations/rows.ts";
export { selectColumn } from "./tensor/operations/select_column.ts";
export { softmaxCrossEntropy } from "./tensor/operations/softmax_cross_entropy.ts";
export {
  type ActivationType,
  activationTypes,
  type Architecture,
  type ArchitectureOptions,
  evaluation,
  frozenTraining,
  training,
  WideResNet,
} from "./nn/wide_resnet.ts";
export { type NormName, normNames } from "./nn/norms.ts";
export {
  type ArchitectureHints,
  inferArchitecture,
  readModel,
  type StateDict,
  writeModel,
} from "./nn/state_dict.ts";
export {
  Adam,
  type AdamOptions,
  type Optimizer,
  Sgd,
  type SgdOptions,
  type StepInputs,
} from "./optim/optimizer.ts";
export { learningRateAt, type LearningRateSchedule } from "./optim/schedule.ts";
export { type Pass, SharpnessAware, type SharpnessAwareOptions } from "./optim/sharpness_aware.ts";
export { generate, type GenerationOptions } from "./jem/generate.ts";
export { conditionalScore, posteriorScore, unconditionalScore } from "./jem/score.ts";
export { GaussianInitialisation } from "./jem/gaussian_initialisation.ts";
export {
  type ImageBytes,
  InformativeInitialisation,
  type Initialisation,
  UniformInitialisation,
} from "./jem/initialisation.ts";
export { type BatchFeatures, type Losses, objective, type ObjectiveWeights } from "./jem/objective.ts";
export {
  hasBatchNorm,
  ReferenceChains,
  referenceCount,
  type ReferenceOptions,
  type StepSizes,
} from "./jem/reference_chains.ts";
export { ReplayBuffer } from "./jem/replay_buffer.ts";
export { type DrawInputs, Sampler } from "./jem/sampler.ts";
export { type Score, sgldChain, type SgldOptions, sgldStep } from "./jem/sgld.ts";
export {
  type Batch,
  type ReportField,
  reportFields,
  reportValues,
  TrainingStep,
  type TrainingStepOptions,
} from "./jem/training_step.ts";
export { permutation, philox4x32, Purpose, RandomStream, streamWords } from "./random/philox.ts";
export { type ByteSource } from "./formats/byte_source.ts";
export { parseSafetensors, type SafetensorsFile, serializeSafetensors } from "./formats/safetensors.ts";
export { type ByteImage, encodePng } from "./formats/pictures/png.ts";
export { type GridOptions, imageGrid, type ImagesShape } from "./formats/pictures/image_grid.ts";
export { type HostTensor } from "./formats/pytorch/layout.ts";
export { type Dataset, type ImageSet } from "./data/dataset.ts";
export { DeviceImages } from "./data/device_images.ts";
export { loadDigits } from "./data/digits.ts";
export { fitDataset, type ImageDescription } from "./data/fit.ts";
export { BatchOrder } from "./train/iteration/batch_order.ts";
export { buildModel } from "./train/build.ts";
export {
  type Checkpoint,
  decodeCheckpoint,
  encodeCheckpoint,
  encodeModel,
  hasReplayImages,
  modelFrom,
  replayImages,
  restoreModel,
  restoreTrainer,
  serializeModel,
} from "./train/checkpoint/checkpoint.ts";
export { type Configuration, parseConfiguration } from "./train/configuration.ts";
export { type ImportHints, readModelFile } from "./train/checkpoint/import.ts";
export { modelState } from "./train/checkpoint/model_state.ts";
export { preset, presetNames } from "./train/presets.ts";
export { drawCrops, drawReplay } from "./train/iteration/draws.ts";
export { type InputPart, type InputValues, IterationInputs } from "./train/iteration/inputs.ts";
export type { IterationReport } from "./train/iteration/report.ts";
export { testModel, type TestResult } from "./train/test_result.ts";
export { reportCapacity } from "./train/iteration/reports.ts";
export { Trainer } from "./train/trainer.ts";
