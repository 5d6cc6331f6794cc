#pragma once

#include <locale>
#include <sstream>
#include <string>

namespace dnn {

/// Streams of text that files and messages hold, with the numbers of C's locale: a program that
/// trains with the library may have made another one its own, with a decimal comma and points
/// between the thousands.
class ClassicOutput : public std::ostringstream {
 public:
  ClassicOutput() { imbue(std::locale::classic()); }
};

class ClassicInput : public std::istringstream {
 public:
  explicit ClassicInput(const std::string& text) : std::istringstream(text) {
    imbue(std::locale::classic());
  }
};

}  // namespace dnn
