#include "dnn/model/evaluation.hpp"

#include <fmt/format.h>

namespace dnn {

std::string Evaluation::in_words() const {
  constexpr std::size_t most = 2;
  std::string text = fmt::format("loss {:.4f}", loss);
  if (accuracy >= 0) {
    return text + fmt::format(" accuracy {:.2f} %", 100 * accuracy);
  }
  for (std::size_t i = 0; i < figures.size() && i < most; ++i) {
    text += fmt::format(" {} {:.4g}", figures[i].name, figures[i].value);
  }
  return text;
}

}  // namespace dnn
