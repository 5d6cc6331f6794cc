#pragma once

#include <string>
#include <variant>

namespace dnn {

/// An option of a run that may make it better or worse than others, and its value.
struct HyperParameter {
  std::string name;
  std::variant<bool, double, std::string> value;

  bool operator==(const HyperParameter&) const = default;
};

}  // namespace dnn
