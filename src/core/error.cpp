#include "dnn/core/error.hpp"

#include <algorithm>
#include <system_error>

namespace dnn {

std::string in_quotes(std::string_view text) {
  constexpr std::size_t most = 60;
  std::string shown(text.substr(0, most));
  const auto is_control = [](unsigned char c) { return c < ' ' || c == 0x7f; };
  std::replace_if(shown.begin(), shown.end(), is_control, '?');
  return "'" + shown + (text.size() > most ? "...'" : "'");
}

FileError::FileError(const std::string& doing, const std::string& path, int code)
    : InputError("cannot " + doing + ": " + path + ": " + std::generic_category().message(code)) {}

}  // namespace dnn
