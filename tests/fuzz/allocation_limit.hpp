#pragma once

#include <cstddef>

namespace dnn::fuzz {

/// While it lives, memory that C++ code asks for with operator new may not exceed a number of
/// bytes, neither at once nor in sum of what is held; more ends the program with a message, at the
/// place that asked. What is held when it begins does not count.
class AllocationLimit {
 public:
  explicit AllocationLimit(std::size_t bytes);
  ~AllocationLimit();
  AllocationLimit(const AllocationLimit&) = delete;
  AllocationLimit& operator=(const AllocationLimit&) = delete;
};

}  // namespace dnn::fuzz
