// inputGradient (=|+=) inverseDeviation · (scale·g − factor·shiftSum / sumRows − normal · factor·scaleSum / sumRows)
//                                                          where the statistics are the input's own (ownStatistics)
// inputGradient (=|+=) inverseDeviation · scale·g          where they are given
// g and normal as in norm_backward_moments; factor is scale, or 1 where the sums already contain it (scaledSums).
//
// input, outputGradient, inputGradient [groups, rows, channels]; statistics [groups, 2, channels] = (mean, inverseDeviation);
// scale, shift [channels]; shiftSum, scaleSum [groups, channels]: float32.
// rowsPerGroup: rows of a group. sumRows: rows in the sums, of another batch if they are not the input's own.
// accumulate: add to what the result holds.
//
// An invocation goes through eight rows of four channels, so it loads the channels' values once.
//
// Entry point `main`; or `throughTextures`, which reads from textures of format rgba32float, 1,024 texels wide, that hold the
// operands row by row: much faster on software adapters.

override slope: f32 = 1.0;
override ownStatistics: bool = true;
override scaledSums: bool = false;
override accumulate: bool = false;

struct Shape {
  channels: u32,
  rowsPerGroup: u32,
  sumRows: u32,
}

// vec4h in variants in half precision.
alias Input = vec4f;

@group(0) @binding(0) var<storage, read> input: array<Input>;
@group(0) @binding(1) var<storage, read> statistics: array<vec4f>;
@group(0) @binding(2) var<storage, read> scale: array<vec4f>;
@group(0) @binding(3) var<storage, read> shift: array<vec4f>;
@group(0) @binding(4) var<storage, read> outputGradient: array<vec4f>;
@group(0) @binding(5) var<storage, read> shiftSum: array<vec4f>;
@group(0) @binding(6) var<storage, read> scaleSum: array<vec4f>;
@group(0) @binding(7) var<storage, read_write> inputGradient: array<vec4f>;
@group(0) @binding(0) var inputTexture: texture_2d<f32>;
@group(0) @binding(1) var statisticsTexture: texture_2d<f32>;
@group(0) @binding(2) var scaleTexture: texture_2d<f32>;
@group(0) @binding(3) var shiftTexture: texture_2d<f32>;
@group(0) @binding(4) var outputGradientTexture: texture_2d<f32>;
@group(0) @binding(5) var shiftSumTexture: texture_2d<f32>;
@group(0) @binding(6) var scaleSumTexture: texture_2d<f32>;
@group(0) @binding(8) var<uniform> shape: Shape;

const rowsPerInvocation = 8u;

struct Channel {
  mean: vec4f,
  inverseDeviation: vec4f,
  scale: vec4f,
  shift: vec4f,
  // What own statistics subtract: factor · sum / rows.
  meanGradient: vec4f,
  meanProduct: vec4f,
}

// Rows of an invocation, from the first to before the end, with their group and four channels; no rows if it has no work.
struct Rows {
  group: u32,
  first: u32,
  end: u32,
  c: u32,
}

fn rowsOf(i: u32, count: u32) -> Rows {
  let row = shape.channels / 4u;
  let rows = shape.rowsPerGroup;
  let parts = (rows + rowsPerInvocation - 1u) / rowsPerInvocation;
  let group = i / row / parts;
  let first = group * rows + i / row % parts * rowsPerInvocation;
  return Rows(group, first, min(min(first + rowsPerInvocation, (group + 1u) * rows), count), i % row);
}

// The i-th vector of a texture that is 1,024 texels wide.
fn texel(values: texture_2d<f32>, i: u32) -> vec4f {
  return textureLoad(values, vec2u(i % 1024u, i / 1024u), 0);
}

// The factor of a group's sums.
fn factorOf(channelScale: vec4f) -> vec4f {
  return select(channelScale, vec4f(1.0), scaledSums) / f32(shape.sumRows);
}

fn result(x: vec4f, gradient: vec4f, channel: Channel) -> vec4f {
  let normal = (x - channel.mean) * channel.inverseDeviation;
  let value = fma(normal, channel.scale, channel.shift);
  var g = channel.scale * (gradient * select(vec4f(slope), vec4f(1.0), value > vec4f()));
  if (ownStatistics) {
    g -= channel.meanGradient + normal * channel.meanProduct;
  }
  return channel.inverseDeviation * g;
}

// The values to add to.
fn before(at: u32) -> vec4f {
  if (accumulate) {
    return inputGradient[at];
  }
  return vec4f();
}

fn store(at: u32, value: vec4f, old: vec4f) {
  if (accumulate) {
    inputGradient[at] = old + value;
  } else {
    inputGradient[at] = value;
  }
}

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let row = shape.channels / 4u;
  let count = arrayLength(&inputGradient) / row;
  let rows = rowsOf(id.x + id.y * groups.x * 64u, count);
  if (rows.first >= rows.end) {
    return;
  }
  let own = 2u * rows.group * row + rows.c;
  let sums = rows.group * row + rows.c;
  let factor = factorOf(scale[rows.c]);
  let channel = Channel(
    statistics[own],
    statistics[own + row],
    scale[rows.c],
    shift[rows.c],
    factor * shiftSum[sums],
    factor * scaleSum[sums],
  );
  var r = rows.first;
  var at = r * row + rows.c;
  // Two at a time: a load waits for an earlier store, but not for an earlier load.
  for (; r + 1u < rows.end; r += 2u) {
    let x0 = vec4f(input[at]);
    let x1 = vec4f(input[at + row]);
    let g0 = outputGradient[at];
    let g1 = outputGradient[at + row];
    let old0 = before(at);
    let old1 = before(at + row);
    store(at, result(x0, g0, channel), old0);
    store(at + row, result(x1, g1, channel), old1);
    at += 2u * row;
  }
  for (; r < rows.end; r++) {
    store(at, result(vec4f(input[at]), outputGradient[at], channel), before(at));
    at += row;
  }
}

@compute @workgroup_size(64)
fn throughTextures(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let row = shape.channels / 4u;
  let count = arrayLength(&inputGradient) / row;
  let rows = rowsOf(id.x + id.y * groups.x * 64u, count);
  if (rows.first >= rows.end) {
    return;
  }
  let own = 2u * rows.group * row + rows.c;
  let sums = rows.group * row + rows.c;
  let channelScale = texel(scaleTexture, rows.c);
  let factor = factorOf(channelScale);
  let channel = Channel(
    texel(statisticsTexture, own),
    texel(statisticsTexture, own + row),
    channelScale,
    texel(shiftTexture, rows.c),
    factor * texel(shiftSumTexture, sums),
    factor * texel(scaleSumTexture, sums),
  );
  for (var r = rows.first; r < rows.end; r++) {
    let at = r * row + rows.c;
    store(at, result(texel(inputTexture, at), texel(outputGradientTexture, at), channel), before(at));
  }
}
