#include "dnn/plots/page_number.hpp"

#include <fmt/format.h>

#include <cmath>
#include <cstdlib>

namespace dnn {

double page_number(double value) {
  return std::isfinite(value) ? std::strtod(fmt::format("{:.6g}", value).c_str(), nullptr) : value;
}

}  // namespace dnn
