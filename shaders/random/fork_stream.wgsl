// child = stream, then stream[3] += 1: the child draws other numbers than all children before and after it.
//
// stream, child uint32 [4] = (seed low, seed high, step, call), as philox.wgsl reads them.

@group(0) @binding(0) var<storage, read_write> stream: array<u32>;
@group(0) @binding(1) var<storage, read_write> child: array<u32>;

@compute @workgroup_size(1)
fn main() {
  for (var i = 0u; i < 4u; i++) {
    child[i] = stream[i];
  }
  stream[3] += 1u;
}
