#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace dnn::test {

/// The bytes of an .npy file (format version 1) with the header's three values as given.
template <class T>
std::string npy(const std::string& descr, const std::string& shape, const std::vector<T>& elements,
                bool fortran = false) {
  std::string header = "{'descr': '" + descr +
                       "', 'fortran_order': " + (fortran ? "True" : "False") +
                       ", 'shape': " + shape + ", }";
  header.append(64 - (10 + header.size() + 1) % 64, ' ');
  header += '\n';
  std::string file = "\x93NUMPY";
  file += '\x01';
  file += '\0';
  file += static_cast<char>(header.size() & 0xff);
  file += static_cast<char>(header.size() >> 8);
  file += header;
  file.append(reinterpret_cast<const char*>(elements.data()), elements.size() * sizeof(T));
  return file;
}

/// The bytes of an IDX file of unsigned bytes.
inline std::string idx(const std::vector<std::uint32_t>& shape, const std::string& elements) {
  std::string file = {'\0', '\0', '\x08', static_cast<char>(shape.size())};
  for (const std::uint32_t extent : shape) {
    for (int shift = 24; shift >= 0; shift -= 8) {
      file += static_cast<char>(extent >> shift & 0xff);
    }
  }
  return file + elements;
}

}  // namespace dnn::test
