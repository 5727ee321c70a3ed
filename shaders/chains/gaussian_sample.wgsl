// samples[n] = clamp(means[c] + Σ_k weights[n, k] · factors[c, k] + 0.01 · noise[n], −1, 1), with c = sampleClasses[n]
//
// With standard normal weights and noise, samples follow N(μ, F·Fᵀ + 1e-4·I), where the columns of F are the class's
// factors: the law of informative initialisation, if F·Fᵀ is the covariance of the class's images.
//
// means [classes, pixels]; factors [classes, rank, pixels]; sampleClasses uint32 [batch], 0xffffffff to leave a sample
// as it is; weights [batch, rank]; noise, samples [batch, pixels]: float32. An invocation computes one pixel of one
// sample.

override pixels: u32 = 64u;
override classes: u32 = 10u;
override rank: u32 = 1u;

@group(0) @binding(0) var<storage, read> means: array<f32>;
@group(0) @binding(1) var<storage, read> factors: array<f32>;
@group(0) @binding(2) var<storage, read> sampleClasses: array<u32>;
@group(0) @binding(3) var<storage, read> weights: array<f32>;
@group(0) @binding(4) var<storage, read> noise: array<f32>;
@group(0) @binding(5) var<storage, read_write> samples: array<f32>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = id.x + id.y * groups.x * 64u;
  if (i >= arrayLength(&noise)) {
    return;
  }
  let n = i / pixels;
  let p = i % pixels;
  let label = sampleClasses[n];
  if (label >= classes) {
    return;
  }
  var sample = fma(0.01, noise[i], means[label * pixels + p]);
  for (var k = 0u; k < rank; k++) {
    sample = fma(weights[n * rank + k], factors[(label * rank + k) * pixels + p], sample);
  }
  samples[i] = clamp(sample, -1.0, 1.0);
}
