#include "dnn/products/arithmetic.hpp"

#include <dnnl.h>
#include <dnnl_debug.h>

#if defined(__x86_64__)
#include <cpuid.h>
#endif
#if defined(__GLIBC__)
#include <gnu/libc-version.h>
#endif

#include <array>
#include <cstring>

namespace dnn {

namespace {

std::string describe_onednn() {
  const dnnl_version_t* version = dnnl_version();
  return std::to_string(version->major) + "." + std::to_string(version->minor) + "." +
         std::to_string(version->patch);
}

/// The largest instruction set that oneDNN uses here, as "avx512_core"; DNNL_MAX_CPU_ISA counts.
std::string describe_onednn_isa() {
  constexpr const char* prefix = "cpu_isa_";
  const std::string name = dnnl_cpu_isa2str(dnnl_get_effective_cpu_isa());
  return name.starts_with(prefix) ? name.substr(std::strlen(prefix)) : name;
}

#if defined(__x86_64__)
/// The name that the processor gives itself; empty where it has none.
std::string processor_name() {
  constexpr unsigned first = 0x80000002U;
  std::array<unsigned, 12> words{};
  for (unsigned i = 0; i < 3; ++i) {
    unsigned* four = &words[4 * std::size_t{i}];
    if (__get_cpuid(first + i, four, four + 1, four + 2, four + 3) == 0) {
      return {};
    }
  }
  std::array<char, sizeof(words) + 1> text{};
  std::memcpy(text.data(), words.data(), sizeof(words));
  std::string name = text.data();
  const std::size_t begin = name.find_first_not_of(' ');
  const std::size_t end = name.find_last_not_of(' ');
  return begin == std::string::npos ? std::string() : name.substr(begin, end + 1 - begin);
}

/// The level (x86-64 psABI) that DNN_SIMD's functions choose by.
std::string instruction_level() {
  const bool v3 = __builtin_cpu_supports("avx2") != 0 && __builtin_cpu_supports("fma") != 0 &&
                  __builtin_cpu_supports("bmi2") != 0;
  const bool v4 =
      v3 && __builtin_cpu_supports("avx512f") != 0 && __builtin_cpu_supports("avx512bw") != 0 &&
      __builtin_cpu_supports("avx512dq") != 0 && __builtin_cpu_supports("avx512vl") != 0;
  return v4 ? "x86-64-v4" : v3 ? "x86-64-v3" : "x86-64";
}

std::string describe_processor() {
  const std::string name = processor_name();
  return name + (name.empty() ? "" : ", ") + instruction_level();
}
#elif defined(__aarch64__)
std::string describe_processor() {
  return "aarch64";
}
#else
std::string describe_processor() {
  return "unknown";
}
#endif

std::string describe_compiler() {
#if defined(__clang__)
  std::string name = "clang " __clang_version__;
#elif defined(__GNUC__)
  std::string name = "GCC " __VERSION__;
#else
  std::string name = "unknown";
#endif
#if !defined(__OPTIMIZE__)
  name += ", without optimization";
#endif
  return name;
}

std::string describe_libc() {
#if defined(__GLIBC__)
  return std::string("glibc ") + gnu_get_libc_version();
#else
  return "unknown";
#endif
}

}  // namespace

std::vector<std::pair<std::string, std::string>> describe_arithmetic() {
  return {{"onednn", describe_onednn()},
          {"onednn_isa", describe_onednn_isa()},
          {"cpu", describe_processor()},
          {"compiler", describe_compiler()},
          {"libc", describe_libc()}};
}

}  // namespace dnn
