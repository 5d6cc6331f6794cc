#include "dnn/readers/hdf5_file.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <string_view>

#include "dnn/core/error.hpp"
#include "dnn/tables/cell.hpp"
#ifdef DNN_HAS_HDF5
#include "dnn/readers/hdf5_handle.hpp"
#include "dnn/readers/hdf5_stored_file.hpp"
#endif

namespace dnn {

std::size_t Hdf5Layout::row_elements() const {
  std::size_t product = 1;
  for (std::size_t i = 1; i < shape.size(); ++i) {
    product *= shape[i];
  }
  return product;
}

std::size_t Hdf5Layout::element_bytes() const {
  return is_text ? std::max({text_bytes, sizeof(std::string), sizeof(char*)}) : sizeof(double);
}

bool looks_like_hdf5(std::span<const std::byte> contents) {
  constexpr std::string_view signature = "\x89HDF\r\n\x1a\n";
  for (std::size_t at = 0; at + signature.size() <= contents.size(); at = at == 0 ? 512 : 2 * at) {
    if (std::memcmp(contents.data() + at, signature.data(), signature.size()) == 0) {
      return true;
    }
  }
  return false;
}

bool is_named_like_hdf5(const std::string& whole_name) {
  const std::string name = in_lower_case(whole_name);
  constexpr std::array packed = {"", ".gz", ".xz", ".zst", ".bz2", ".lz4"};
  for (const char* ending : {".h5", ".hdf5", ".hdf", ".he5"}) {
    for (const char* compressed : packed) {
      if (name.ends_with(std::string(ending) + compressed)) {
        return true;
      }
    }
  }
  return false;
}

std::string shown_hdf5_path(const std::string& path) {
  const std::string quoted = in_quotes(path);
  return quoted.substr(1, quoted.size() - 2);
}

std::string hdf5_place(const std::string& file, const std::string& path) {
  return file + ":" + shown_hdf5_path(path);
}

#ifdef DNN_HAS_HDF5

std::unique_ptr<Hdf5File> open_hdf5(const Bytes& contents, const std::string& origin) {
  return std::make_unique<StoredHdf5File>(contents, origin);
}

std::string hdf5_support() {
  return "HDF5 " + hdf5_library_version();
}

#else

std::unique_ptr<Hdf5File> open_hdf5(const Bytes& /*contents*/, const std::string& origin) {
  throw InputError(fmt::format(
      "{}: this program was built without HDF5 (-DDNN_HDF5=OFF); build it with HDF5 (Debian's "
      "package is libhdf5-dev), or save the arrays as NPY files",
      origin));
}

std::string hdf5_support() {
  return "without HDF5";
}

#endif

}  // namespace dnn
