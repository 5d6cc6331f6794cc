#pragma once

#include <map>
#include <stdexcept>
#include <string>

#include "dnn/options/config.hpp"

namespace dnn {

/// The words that an option of each kind takes, and what they stand for.
template <class Enum>
[[nodiscard]] const std::map<std::string, Enum>& choices();

/// The word for a value.
template <class Enum>
[[nodiscard]] std::string word_for(Enum value) {
  for (const auto& [word, meaning] : choices<Enum>()) {
    if (meaning == value) {
      return word;
    }
  }
  throw std::logic_error("word_for: a value without a word");
}

}  // namespace dnn
