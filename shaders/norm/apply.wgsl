// output[g, r, c] = leakyReLU((input[g, r, c] − mean[g, c]) · inverseDeviation[g, c] · scale[c] + shift[c])
// leakyReLU(v) = v > 0 ? v : slope·v
//
// input, output [groups, rows, channels]; statistics [groups, 2, channels] = (mean, inverseDeviation);
// scale, shift [channels]: float32.
// rowsPerGroup: rows of a group.
//
// An invocation goes through eight rows of four channels, so it loads the channels' values once.
//
// Entry point `main`; or `throughTextures`, which reads from textures of format rgba32float, 1,024 texels wide, that
// hold the operands row by row: much faster on software adapters.

override slope: f32 = 1.0;

struct Shape {
  channels: u32,
  rowsPerGroup: u32,
}

// vec4h in variants in half precision.
alias Input = vec4f;
alias Output = vec4f;

@group(0) @binding(0) var<storage, read> input: array<Input>;
@group(0) @binding(1) var<storage, read> statistics: array<vec4f>;
@group(0) @binding(2) var<storage, read> scale: array<vec4f>;
@group(0) @binding(3) var<storage, read> shift: array<vec4f>;
@group(0) @binding(4) var<storage, read_write> output: array<Output>;
@group(0) @binding(0) var inputTexture: texture_2d<f32>;
@group(0) @binding(1) var statisticsTexture: texture_2d<f32>;
@group(0) @binding(2) var scaleTexture: texture_2d<f32>;
@group(0) @binding(3) var shiftTexture: texture_2d<f32>;
@group(0) @binding(8) var<uniform> shape: Shape;

const rowsPerInvocation = 8u;

struct Channel {
  mean: vec4f,
  inverseDeviation: vec4f,
  scale: vec4f,
  shift: vec4f,
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

fn apply(x: vec4f, channel: Channel) -> vec4f {
  let value = fma((x - channel.mean) * channel.inverseDeviation, channel.scale, channel.shift);
  return select(slope * value, value, value > vec4f());
}

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let row = shape.channels / 4u;
  let rows = rowsOf(id.x + id.y * groups.x * 64u, arrayLength(&output) / row);
  if (rows.first >= rows.end) {
    return;
  }
  let own = 2u * rows.group * row + rows.c;
  let channel = Channel(statistics[own], statistics[own + row], scale[rows.c], shift[rows.c]);
  var r = rows.first;
  var at = r * row + rows.c;
  // Four at a time: a load waits for an earlier store, but not for an earlier load.
  for (; r + 3u < rows.end; r += 4u) {
    let x0 = vec4f(input[at]);
    let x1 = vec4f(input[at + row]);
    let x2 = vec4f(input[at + 2u * row]);
    let x3 = vec4f(input[at + 3u * row]);
    output[at] = Output(apply(x0, channel));
    output[at + row] = Output(apply(x1, channel));
    output[at + 2u * row] = Output(apply(x2, channel));
    output[at + 3u * row] = Output(apply(x3, channel));
    at += 4u * row;
  }
  for (; r < rows.end; r++) {
    output[at] = Output(apply(vec4f(input[at]), channel));
    at += row;
  }
}

@compute @workgroup_size(64)
fn throughTextures(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let row = shape.channels / 4u;
  let rows = rowsOf(id.x + id.y * groups.x * 64u, arrayLength(&output) / row);
  if (rows.first >= rows.end) {
    return;
  }
  let own = 2u * rows.group * row + rows.c;
  let channel = Channel(
    texel(statisticsTexture, own),
    texel(statisticsTexture, own + row),
    texel(scaleTexture, rows.c),
    texel(shiftTexture, rows.c),
  );
  for (var r = rows.first; r < rows.end; r++) {
    output[r * row + rows.c] = Output(apply(texel(inputTexture, r * row + rows.c), channel));
  }
}
