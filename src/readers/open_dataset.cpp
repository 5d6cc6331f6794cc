#include "dnn/readers/open_dataset.hpp"

#include <fmt/format.h>

#include <optional>

#include "dnn/core/error.hpp"
#include "dnn/files/gzip.hpp"
#include "dnn/files/text_encoding.hpp"
#include "dnn/readers/data_source.hpp"
#include "dnn/readers/libsvm_detection.hpp"
#include "dnn/readers/libsvm_reader.hpp"
#include "dnn/readers/npy_reader.hpp"
#include "dnn/tables/read_table.hpp"

// Made by the build from digits.csv.gz.
extern const unsigned char digits_csv_gz[];
extern const std::size_t digits_csv_gz_size;

namespace dnn {

Dataset read_file(const Bytes& contents, const std::string& path, const ReadOptions& options) {
  if (looks_like_npy(contents.view)) {
    return dataset_of_arrays(parse_npy(contents, path), std::nullopt, options);
  }
  if (path.ends_with(".npy") || path.ends_with(".npy.gz")) {
    throw InputError(path + ": not an NPY file (no NUMPY magic)");
  }
  const DecodedText decoded = decode_text(contents, path, options.team);
  const TableText text{decoded.text.view, path, !decoded.text.mapped_path.empty()};
  const std::span<const TableText> texts(&text, 1);
  Dataset data = looks_like_libsvm(text.contents) ? read_libsvm(texts, path, options)
                                                  : read_table_parts(texts, path, options);
  if (!options.team.is_alone() && contents.mapped_path.empty()) {
    data.notes.push_back(
        path +
        ": compressed text cannot be cut: each node decompresses all of it, and parses a part");
  }
  if (!decoded.note.empty()) {
    data.notes.insert(data.notes.begin(), decoded.note);
  }
  return data;
}

Dataset open_builtin_digits(const ReadOptions& options) {
  const Bytes csv = inflate_gzip(std::as_bytes(std::span(digits_csv_gz, digits_csv_gz_size)),
                                 builtin_digits_name);
  ReadOptions own = options;
  own.label_column = "last";
  return read_table(csv.view, builtin_digits_name, own);
}

Dataset open_dataset(const std::string& source, Part part, const ReadOptions& options) {
  return DataSource(source).read(part, options);
}

}  // namespace dnn
