#include "dnn/readers/libsvm_detection.hpp"

#include "dnn/readers/libsvm_lines.hpp"

namespace dnn {

namespace {

constexpr std::string_view decimal_digits = "0123456789";

/// Whether `word` is "index:value" or "qid:N", as far as a look at it tells.
bool looks_like_value(std::string_view word) {
  const std::size_t colon = word.find(':');
  const std::string_view index = word.substr(0, colon);
  return colon != std::string_view::npos && colon > 0 &&
         (index == "qid" || index.find_first_not_of(decimal_digits) == std::string_view::npos) &&
         word.find_first_of(",;:", colon + 1) == std::string_view::npos;
}

/// Whether `word` can be the label, or several ("1,3"), in front of "index:value".
bool looks_like_label(std::string_view word) {
  const bool several = word.find(',') != std::string_view::npos;
  return several ? word.back() != ',' && word.find_first_not_of("0123456789,") == word.npos
                 : word.find(';') == std::string_view::npos;
}

}  // namespace

bool looks_like_libsvm(std::span<const std::byte> contents) {
  const TableText text{contents, {}};
  LibsvmLines lines(std::span(&text, 1));
  for (bool first_line = true; lines.next(); first_line = false) {
    std::string_view rest = lines.line();
    const std::string_view first = take_word(rest);
    const std::string_view second = take_word(rest);
    const std::string_view third = take_word(rest);
    if (looks_like_value(first)) {
      return second.empty() || looks_like_value(second);
    }
    if (looks_like_value(second)) {  // other tables may hold "12:30", but numbers beside it
      return looks_like_label(first) && (third.empty() || third.find(':') != third.npos);
    }
    const bool lone = second.empty() && first.find_first_of(",;") == std::string_view::npos;
    if (!lone && !(first_line && counts_samples(lines.line()))) {
      return false;
    }
  }
  return false;
}

bool counts_samples(std::string_view line) {
  std::size_t words = 0;
  for (std::string_view word = take_word(line); !word.empty(); word = take_word(line)) {
    if (++words > 3 || word.find_first_not_of(decimal_digits) != std::string_view::npos) {
      return false;
    }
  }
  return words == 3;
}

}  // namespace dnn
