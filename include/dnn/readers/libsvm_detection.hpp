#pragma once

#include <cstddef>
#include <span>
#include <string_view>

namespace dnn {

/// Whether the text is LIBSVM: the first line that is more than a lone word decides.
[[nodiscard]] bool looks_like_libsvm(std::span<const std::byte> contents);

/// Whether `line` holds three whole numbers and nothing else. The first line of the files of the
/// Extreme Classification Repository counts samples, features and labels like this.
[[nodiscard]] bool counts_samples(std::string_view line);

}  // namespace dnn
