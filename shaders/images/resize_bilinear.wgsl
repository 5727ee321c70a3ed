// Bilinear resizing without antialiasing:
//
// output[n, y, x, c] = valueScale · lerp of the four input pixels around (place(y, height), place(x, width)) + valueShift
//
// place(p, extent) = (p + ½)·extent/size − ½, with pixel centres at half-integers (PyTorch's align_corners=False), or
//                    p·extent/size with fromCorner (TensorFlow 1's)
//
// input  [N, height, width, channels]    float32
// output [N, size, size, channels]
//
// Positions beyond the border become those of the border. They are computed as integers, in multiples of 1/(2·size), so
// that the weights have only the rounding error of one division.

override height: u32 = 32u;
override width: u32 = 32u;
override size: u32 = 64u;
override channels: u32 = 3u;
override valueScale: f32 = 1.0;
override valueShift: f32 = 0.0;
override fromCorner: bool = false;

@group(0) @binding(0) var<storage, read> input: array<f32>;
@group(0) @binding(1) var<storage, read_write> output: array<f32>;

// The two pixels along one axis between which an output pixel lies, and the weight of the second.
struct Between {
  first: u32,
  second: u32,
  weight: f32,
}

fn between(place: u32, extent: u32) -> Between {
  let centred = max((2u * place + 1u) * extent, size) - size;
  let position = select(centred, 2u * place * extent, fromCorner);
  let first = position / (2u * size);
  return Between(first, min(first + 1u, extent - 1u), f32(position % (2u * size)) / f32(2u * size));
}

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = id.x + id.y * groups.x * 64u;
  let pixel = i / channels;
  let image = pixel / (size * size);
  if (i >= arrayLength(&output)) {
    return;
  }
  let y = between(pixel / size % size, height);
  let x = between(pixel % size, width);
  let top = (image * height + y.first) * width;
  let bottom = (image * height + y.second) * width;
  let c = i % channels;
  let above = mix(input[(top + x.first) * channels + c], input[(top + x.second) * channels + c], x.weight);
  let below = mix(input[(bottom + x.first) * channels + c], input[(bottom + x.second) * channels + c], x.weight);
  output[i] = mix(above, below, y.weight) * valueScale + valueShift;
}
