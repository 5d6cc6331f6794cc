#include "dnn/data/open_dataset.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "dnn/core/error.hpp"
#include "dnn/data/csv_reader.hpp"
#include "dnn/data/data_source.hpp"
#include "dnn/data/gzip.hpp"
#include "dnn/data/libsvm_reader.hpp"
#include "dnn/data/npy_reader.hpp"

// Made by the build from digits.csv.gz.
extern const unsigned char digits_csv_gz[];
extern const std::size_t digits_csv_gz_size;

namespace dnn {

Dataset read_table(const Bytes& contents, const std::string& path, const ReadOptions& options) {
  if (looks_like_npy(contents.view)) {
    return dataset_of_arrays(parse_npy(contents, path), std::nullopt, options);
  }
  if (path.ends_with(".npy") || path.ends_with(".npy.gz")) {
    throw InputError(path + ": not an NPY file (no NUMPY magic)");
  }
  const auto zeros =
      std::count(contents.view.begin(),
                 contents.view.begin() +
                     static_cast<std::ptrdiff_t>(std::min<std::size_t>(contents.size(), 4096)),
                 std::byte{0});
  if (zeros > 0) {
    throw InputError(path +
                     ": the file is binary and not NPY (IDX files are named by their folder; "
                     "text in UTF-16 cannot be read)");
  }
  return looks_like_libsvm(contents.view) ? read_libsvm(contents.view, path, options)
                                          : read_csv(contents.view, path, options);
}

Dataset open_builtin_digits(const ReadOptions& options) {
  const Bytes csv = inflate_gzip(std::as_bytes(std::span(digits_csv_gz, digits_csv_gz_size)),
                                 builtin_digits_name);
  return read_csv(csv.view, builtin_digits_name, options);
}

Dataset open_dataset(const std::string& source, Part part, const ReadOptions& options) {
  return DataSource(source).read(part, options);
}

}  // namespace dnn
