#pragma once

namespace dnn {

/// The number with 6 significant digits: a report has room for no more.
[[nodiscard]] double page_number(double value);

}  // namespace dnn
