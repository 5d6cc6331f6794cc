#pragma once

namespace dnn {

/// The number with 6 significant digits, whatever the locale: a page has room for no more.
/// Infinities and what is no number stay.
[[nodiscard]] double page_number(double value);

}  // namespace dnn
