#pragma once

// DNN_SIMD before a function: it is compiled for several instruction sets, and the best one that
// the processor has is chosen when the program starts. The body it calls must be inlined into it:
// DNN_SIMD_BODY before that, DNN_SIMD_LAMBDA before the body of a lambda. Where the compiler cannot
// do this, the portable version is built alone.
#if defined(__x86_64__) && defined(__ELF__) && defined(__GNUC__) && !defined(__clang__)
#define DNN_SIMD __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))
#else
#define DNN_SIMD
#endif
#define DNN_SIMD_BODY inline __attribute__((always_inline))
#define DNN_SIMD_LAMBDA __attribute__((always_inline))
