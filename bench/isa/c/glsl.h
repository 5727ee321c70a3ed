// Types and functions of GLSL for CUDA, as far as this project's shaders need them.
#pragma once

#define HERE __device__ __forceinline__

typedef unsigned int uint;

#define VECTORS(T, V2, V3, V4)                                            \
  struct __align__(8) V2 {                                                \
    T x, y;                                                               \
    V2() = default;                                                       \
    HERE V2(T a) : x(a), y(a) {}                                          \
    HERE V2(T a, T b) : x(a), y(b) {}                                     \
  };                                                                      \
  struct V3 {                                                             \
    T x, y, z;                                                            \
    V3() = default;                                                       \
    HERE V3(T a) : x(a), y(a), z(a) {}                                    \
    HERE V3(T a, T b, T c) : x(a), y(b), z(c) {}                          \
  };                                                                      \
  struct __align__(16) V4 {                                               \
    T x, y, z, w;                                                         \
    V4() = default;                                                       \
    HERE V4(T a) : x(a), y(a), z(a), w(a) {}                              \
    HERE V4(T a, T b, T c, T d) : x(a), y(b), z(c), w(d) {}               \
    HERE T &operator[](uint i) { return (&x)[i]; }                        \
    HERE const T &operator[](uint i) const { return (&x)[i]; }            \
  };
VECTORS(float, vec2, vec3, vec4)
VECTORS(uint, uvec2, uvec3, uvec4)
VECTORS(int, ivec2, ivec3, ivec4)
VECTORS(bool, bvec2, bvec3, bvec4)

// An operator of two vectors, of each with one number, and with an assignment.
#define OPERATOR(V, T, op)                                                                                   \
  HERE V##2 operator op(V##2 a, V##2 b) { return V##2(a.x op b.x, a.y op b.y); }                             \
  HERE V##3 operator op(V##3 a, V##3 b) { return V##3(a.x op b.x, a.y op b.y, a.z op b.z); }                 \
  HERE V##4 operator op(V##4 a, V##4 b) { return V##4(a.x op b.x, a.y op b.y, a.z op b.z, a.w op b.w); }     \
  HERE V##2 operator op(V##2 a, T b) { return a op V##2(b); }                                                \
  HERE V##4 operator op(V##4 a, T b) { return a op V##4(b); }                                                \
  HERE V##2 operator op(T a, V##2 b) { return V##2(a) op b; }                                                \
  HERE V##4 operator op(T a, V##4 b) { return V##4(a) op b; }                                                \
  HERE V##2 &operator op##=(V##2 &a, V##2 b) { return a = a op b; }                                          \
  HERE V##4 &operator op##=(V##4 &a, V##4 b) { return a = a op b; }
OPERATOR(vec, float, +) OPERATOR(vec, float, -) OPERATOR(vec, float, *) OPERATOR(vec, float, /)
OPERATOR(uvec, uint, +) OPERATOR(uvec, uint, -) OPERATOR(uvec, uint, *)
OPERATOR(uvec, uint, <<) OPERATOR(uvec, uint, >>) OPERATOR(uvec, uint, &) OPERATOR(uvec, uint, |) OPERATOR(uvec, uint, ^)
OPERATOR(ivec, int, +) OPERATOR(ivec, int, -) OPERATOR(ivec, int, *)
HERE vec2 operator-(vec2 a) { return vec2(-a.x, -a.y); }
HERE vec4 operator-(vec4 a) { return vec4(-a.x, -a.y, -a.z, -a.w); }

#define COMPARISON(name, op)                                                                                 \
  template <typename V> HERE bvec2 name##2(V a, V b) { return bvec2(a.x op b.x, a.y op b.y); }               \
  template <typename V> HERE bvec4 name##4(V a, V b) { return bvec4(a.x op b.x, a.y op b.y, a.z op b.z, a.w op b.w); } \
  HERE bvec2 name(vec2 a, vec2 b) { return name##2(a, b); }                                                  \
  HERE bvec4 name(vec4 a, vec4 b) { return name##4(a, b); }                                                  \
  HERE bvec2 name(uvec2 a, uvec2 b) { return name##2(a, b); }                                                \
  HERE bvec4 name(uvec4 a, uvec4 b) { return name##4(a, b); }
COMPARISON(equal, ==) COMPARISON(notEqual, !=) COMPARISON(lessThan, <) COMPARISON(lessThanEqual, <=)
COMPARISON(greaterThan, >) COMPARISON(greaterThanEqual, >=)
HERE bool all(bvec2 a) { return a.x && a.y; }
HERE bool all(bvec4 a) { return a.x && a.y && a.z && a.w; }
HERE bool any(bvec2 a) { return a.x || a.y; }
HERE bool any(bvec4 a) { return a.x || a.y || a.z || a.w; }

// Functions of a float, and of each float of a vector.
#define OF_EACH(name, of_float)                                                              \
  HERE vec2 name(vec2 a) { return vec2(of_float(a.x), of_float(a.y)); }                      \
  HERE vec4 name(vec4 a) { return vec4(of_float(a.x), of_float(a.y), of_float(a.z), of_float(a.w)); }
HERE float inversesqrt(float a) { return rsqrtf(a); }
OF_EACH(inversesqrt, rsqrtf) OF_EACH(sqrt, sqrtf) OF_EACH(exp, expf) OF_EACH(log, logf) OF_EACH(abs, fabsf)
OF_EACH(floor, floorf) OF_EACH(cos, cosf) OF_EACH(sin, sinf)
HERE float sign(float a) { return a > 0 ? 1.0f : a < 0 ? -1.0f : 0.0f; }
OF_EACH(sign, sign)

#define OF_PAIRS(name, of_floats)                                                            \
  HERE vec2 name(vec2 a, vec2 b) { return vec2(of_floats(a.x, b.x), of_floats(a.y, b.y)); }  \
  HERE vec4 name(vec4 a, vec4 b) { return vec4(of_floats(a.x, b.x), of_floats(a.y, b.y), of_floats(a.z, b.z), of_floats(a.w, b.w)); }
OF_PAIRS(max, fmaxf) OF_PAIRS(min, fminf) OF_PAIRS(pow, powf)
HERE float dot(vec2 a, vec2 b) { return a.x * b.x + a.y * b.y; }
HERE float dot(vec4 a, vec4 b) { return a.x * b.x + a.y * b.y + a.z * b.z + a.w * b.w; }
template <typename T> HERE T clamp(T a, T least, T most) { return min(max(a, least), most); }

HERE vec2 fma(vec2 a, vec2 b, vec2 c) { return vec2(fmaf(a.x, b.x, c.x), fmaf(a.y, b.y, c.y)); }
HERE vec4 fma(vec4 a, vec4 b, vec4 c) { return vec4(fmaf(a.x, b.x, c.x), fmaf(a.y, b.y, c.y), fmaf(a.z, b.z, c.z), fmaf(a.w, b.w, c.w)); }
HERE vec4 mix(vec4 a, vec4 b, vec4 t) { return a + t * (b - a); }

// The second where a bit is set.
#define SELECTION(V)                                                                          \
  HERE V##2 mix(V##2 a, V##2 b, bvec2 t) { return V##2(t.x ? b.x : a.x, t.y ? b.y : a.y); }   \
  HERE V##4 mix(V##4 a, V##4 b, bvec4 t) { return V##4(t.x ? b.x : a.x, t.y ? b.y : a.y, t.z ? b.z : a.z, t.w ? b.w : a.w); }
SELECTION(vec) SELECTION(uvec) SELECTION(bvec)

HERE uint floatBitsToUint(float a) { return __float_as_uint(a); }
HERE float uintBitsToFloat(uint a) { return __uint_as_float(a); }
HERE uvec4 floatBitsToUint(vec4 a) { return uvec4(__float_as_uint(a.x), __float_as_uint(a.y), __float_as_uint(a.z), __float_as_uint(a.w)); }

struct mat4 {
  vec4 c[4];
  mat4() = default;
  HERE mat4(vec4 a, vec4 b, vec4 d, vec4 e) { c[0] = a; c[1] = b; c[2] = d; c[3] = e; }
  HERE vec4 &operator[](int i) { return c[i]; }
  HERE const vec4 &operator[](int i) const { return c[i]; }
};
HERE mat4 transpose(mat4 m) {
  return mat4(vec4(m[0].x, m[1].x, m[2].x, m[3].x), vec4(m[0].y, m[1].y, m[2].y, m[3].y),
              vec4(m[0].z, m[1].z, m[2].z, m[3].z), vec4(m[0].w, m[1].w, m[2].w, m[3].w));
}

// A buffer.
template <typename T> struct Span {
  T *p;
  int n;
  HERE T &operator[](uint i) const { return p[i]; }
  HERE int length() const { return n; }
};

#define gl_WorkGroupID uvec3(blockIdx.x, blockIdx.y, blockIdx.z)
#define gl_NumWorkGroups uvec3(gridDim.x, gridDim.y, gridDim.z)
#define gl_LocalInvocationIndex (threadIdx.x + blockDim.x * threadIdx.y)
#define gl_LocalInvocationID uvec3(threadIdx.x, threadIdx.y, threadIdx.z)
#define gl_GlobalInvocationID uvec3(blockIdx.x * LOCAL_X + threadIdx.x, blockIdx.y * LOCAL_Y + threadIdx.y, blockIdx.z)
#define barrier() __syncthreads()
#define memoryBarrier() __threadfence_block()
#define memoryBarrierShared() __threadfence_block()
#define memoryBarrierBuffer() __threadfence_block()
#define groupMemoryBarrier() __threadfence_block()
