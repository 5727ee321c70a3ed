// samples[n] = clamp(μ + 1/√total · Σ_k weights[n, k] · (x_k − μ) + 0.01 · noise[n], −1, 1)
//
// μ = means[sampleClasses[n]], x_k are the images of that class in [−1, 1]. With standard normal weights and noise,
// samples follow N(μ, Σ + 1e-4·I), the law of informative initialisation. Σ is the class's covariance, which is never
// formed.
//
// A data set may lie in several buffers. The first one (`first`) starts the sum, the next ones add to `samples`, and
// the last one (`last`) completes the formula.
//
// bytes, members as in class_means; means [classes, pixels]; sampleClasses uint32 [batch], 0xffffffff to leave a sample as it
// is; weights [batch, maximumCount]; noise, samples [batch, pixels]: float32.

override pixels: u32 = 64u;
override classes: u32 = 10u;
override maximum: f32 = 255.0;
override maximumCount: u32 = 1u;
override clampSamples: bool = true;

struct Shape {
  batch: u32,
  first: u32,
  last: u32,
}

@group(0) @binding(0) var<storage, read> bytes: array<u32>;
@group(0) @binding(1) var<storage, read> members: array<u32>;
@group(0) @binding(2) var<storage, read> means: array<f32>;
@group(0) @binding(3) var<storage, read> sampleClasses: array<u32>;
@group(0) @binding(4) var<storage, read> weights: array<f32>;
@group(0) @binding(5) var<storage, read> noise: array<f32>;
@group(0) @binding(6) var<storage, read_write> samples: array<f32>;
@group(0) @binding(8) var<uniform> shape: Shape;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = id.x + id.y * groups.x * 64u;
  if (i >= shape.batch * pixels) {
    return;
  }
  let n = i / pixels;
  let p = i % pixels;
  let label = sampleClasses[n];
  if (label >= classes) {
    return;
  }
  let start = members[4u * label];
  let count = members[4u * label + 1u];
  let before = members[4u * label + 2u];
  let total = members[4u * label + 3u];
  let mean = means[label * pixels + p];
  var sum = 0.0;
  if (shape.first == 0u) {
    sum = samples[i];
  }
  for (var k = 0u; k < count; k++) {
    let at = members[start + k] * pixels + p;
    let value = f32((bytes[at / 4u] >> (8u * (at % 4u))) & 0xffu) / maximum * 2.0 - 1.0;
    sum = fma(weights[n * maximumCount + before + k], value - mean, sum);
  }
  if (shape.last == 0u) {
    samples[i] = sum;
    return;
  }
  let sample = fma(0.01, noise[i], mean + sum / sqrt(f32(total)));
  samples[i] = select(sample, clamp(sample, -1.0, 1.0), clampSamples);
}
