// Maximum or mean over windows of kernel × kernel pixels, of the pixels that lie inside the image (PyTorch's
// count_include_pad=False):
//
// output[n, y, x, outOffset + c] = max or mean over ky, kx of
//                                  input[n, y·stride + ky − padding, x·stride + kx − padding, c]
//
// input  [N, height, width, channels]              float32, channels a multiple of 4
// output [N, outHeight, outWidth, outStride]       N follows from its length
//
// The result fills `channels` channels of the output from outOffset on and leaves the others alone; both outOffset and
// outStride are multiples of 4. Every window has a pixel inside, because padding < kernel.

override height: u32 = 8u;
override width: u32 = 8u;
override outHeight: u32 = 8u;
override outWidth: u32 = 8u;
override channels: u32 = 16u;
override kernel: u32 = 3u;
override stride: u32 = 1u;
override padding: u32 = 1u;
override average: bool = false;
override outOffset: u32 = 0u;
override outStride: u32 = 16u;

@group(0) @binding(0) var<storage, read> input: array<vec4f>;
@group(0) @binding(1) var<storage, read_write> output: array<vec4f>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = id.x + id.y * groups.x * 64u;
  let row = channels / 4u;
  let channel = i % row;
  let pixel = i / row;
  let outRow = outStride / 4u;
  if (pixel >= arrayLength(&output) / outRow) {
    return;
  }
  let image = pixel / (outHeight * outWidth);
  // The window's corner, shifted by the padding to stay unsigned.
  let top = pixel / outWidth % outHeight * stride;
  let left = pixel % outWidth * stride;
  let rows = vec2u(max(top, padding), min(top + kernel, height + padding)) - padding;
  let columns = vec2u(max(left, padding), min(left + kernel, width + padding)) - padding;
  var result = input[((image * height + rows.x) * width + columns.x) * row + channel];
  var sum = vec4f();
  for (var y = rows.x; y < rows.y; y++) {
    for (var x = columns.x; x < columns.y; x++) {
      let value = input[((image * height + y) * width + x) * row + channel];
      result = max(result, value);
      sum += value;
    }
  }
  if (average) {
    result = sum / f32((rows.y - rows.x) * (columns.y - columns.x));
  }
  output[pixel * outRow + outOffset / 4u + channel] = result;
}
