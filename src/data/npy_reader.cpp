#include "dnn/data/npy_reader.hpp"

#include <fmt/format.h>

#include <cmath>
#include <cstring>
#include <map>
#include <optional>
#include <string_view>
#include <utility>

#include "dnn/core/error.hpp"
#include "dnn/data/column.hpp"
#include "dnn/data/label_table.hpp"
#include "dnn/data/number.hpp"

namespace dnn {

namespace {

constexpr std::string_view magic = "\x93NUMPY";

struct NpyArray {
  std::string origin;
  ElementType type = ElementType::f32;
  std::vector<std::size_t> shape;
  Bytes elements;
};

[[noreturn]] void fail(const std::string& origin, const std::string& what) {
  throw InputError(fmt::format("{}: {}", origin, what));
}

ElementType element_type(std::string_view descr, const std::string& origin) {
  static const std::map<std::string_view, ElementType> types = {
      {"|u1", ElementType::u8},  {"|b1", ElementType::u8},  {"|i1", ElementType::i8},
      {"<u2", ElementType::u16}, {"<i2", ElementType::i16}, {"<u4", ElementType::u32},
      {"<i4", ElementType::i32}, {"<u8", ElementType::u64}, {"<i8", ElementType::i64},
      {"<f4", ElementType::f32}, {"<f8", ElementType::f64}};
  const auto found = types.find(descr);
  if (found == types.end()) {
    fail(origin, fmt::format("elements of type {} cannot be read; save them as little-endian "
                             "numbers of 1 to 8 bytes (a.astype('<f4'))",
                             in_quotes(descr)));
  }
  return found->second;
}

/// The text after 'key': in the header's dictionary, up to the value's end.
std::string_view value_of(std::string_view header, std::string_view key,
                          const std::string& origin) {
  const std::string quoted = "'" + std::string(key) + "'";
  const std::size_t at = header.find(quoted);
  const std::size_t colon = at == std::string_view::npos ? at : header.find(':', at);
  if (colon == std::string_view::npos) {
    fail(origin, fmt::format("corrupt NPY header (no {})", quoted));
  }
  return trim(header.substr(colon + 1));
}

std::vector<std::size_t> shape_of(std::string_view text, const std::string& origin) {
  std::vector<std::size_t> shape;
  const std::size_t close = text.find(')');
  if (!text.starts_with('(') || close == std::string_view::npos) {
    fail(origin, "corrupt NPY header (shape)");
  }
  text = text.substr(1, close - 1);
  while (!trim(text).empty()) {
    const std::size_t comma = text.find(',');
    const auto extent = parse_integer(text.substr(0, comma));
    if (!extent || *extent < 0) {
      fail(origin, "corrupt NPY header (shape)");
    }
    shape.push_back(static_cast<std::size_t>(*extent));
    text.remove_prefix(comma == std::string_view::npos ? text.size() : comma + 1);
  }
  return shape;
}

NpyArray read_npy_array(const std::string& path) {
  NpyArray array;
  array.origin = path;
  const Bytes file = read_contents(path);
  if (!looks_like_npy(file.view) || file.size() < 12) {
    fail(path, "not an NPY file (no NUMPY magic), or truncated");
  }
  const int version = std::to_integer<int>(file.view[6]);
  const std::size_t length_bytes = version == 1 ? 2 : 4;
  std::size_t header_length = 0;
  for (std::size_t i = length_bytes; i-- > 0;) {
    header_length = header_length << 8 | std::to_integer<std::size_t>(file.view[8 + i]);
  }
  const std::size_t start = 8 + length_bytes + header_length;
  if (version < 1 || version > 3 || start > file.size()) {
    fail(path, "truncated or corrupt NPY header");
  }
  const std::string_view header(reinterpret_cast<const char*>(file.view.data()) + 8 + length_bytes,
                                header_length);
  const std::string_view descr = value_of(header, "descr", path);
  const std::size_t end_quote = descr.find('\'', 1);
  if (!descr.starts_with('\'') || end_quote == std::string_view::npos) {
    fail(path, "a structured array cannot be read; save a plain one");
  }
  array.type = element_type(descr.substr(1, end_quote - 1), path);
  array.shape = shape_of(value_of(header, "shape", path), path);
  const std::string_view order = value_of(header, "fortran_order", path);
  if (!order.starts_with("False") && !order.starts_with("True")) {
    fail(path, "corrupt NPY header (fortran_order)");
  }
  if (order.starts_with("True") && array.shape.size() > 1) {
    fail(path, "the array is in Fortran order; save numpy.ascontiguousarray(a)");
  }
  std::size_t bytes = element_size(array.type);
  for (const std::size_t extent : array.shape) {
    if (__builtin_mul_overflow(bytes, extent, &bytes)) {
      fail(path, "corrupt NPY header (shape)");
    }
  }
  if (file.size() - start < bytes) {
    fail(path, fmt::format("truncated: the header promises {} bytes of elements, {} are there",
                           bytes, file.size() - start));
  }
  if (file.size() - start > bytes) {
    fail(path,
         fmt::format("corrupt: {} bytes follow the {} bytes of elements that the header promises",
                     file.size() - start - bytes, bytes));
  }
  if (start % 16 != 0) {
    fail(path,
         "the elements are not aligned to 16 bytes; save the array again with NumPy 1.14 or "
         "newer");
  }
  array.elements = file.part(start, bytes);
  return array;
}

/// Adds element `index` of the array as a label, which must be an integer.
void add_label(const NpyArray& array, std::size_t index, LabelTable& labels) {
  visit_element(array.type, [&](auto element) {
    using T = decltype(element);
    const T value = array.elements.as<T>()[index];
    constexpr std::int64_t too_large = std::int64_t{1} << 53;  // for a double to be exact
    if constexpr (std::is_integral_v<T>) {
      if (std::cmp_greater_equal(value, too_large) || std::cmp_less_equal(value, -too_large)) {
        fail(array.origin, fmt::format("label {} (element {}) is too large a number for a class",
                                       value, index + 1));
      }
    } else {
      if (!(std::abs(value) < T(too_large)) || value != std::floor(value)) {
        fail(array.origin,
             fmt::format("label {} (element {}) is not a class: labels are integers (regression is "
                         "not supported). Is --label-column right? Labels of a file of their own "
                         "are named as features.npy,labels.npy",
                         value, index + 1));
      }
    }
    labels.add(static_cast<std::int64_t>(value));
  });
}

}  // namespace

bool looks_like_npy(std::span<const std::byte> contents) {
  return contents.size() >= magic.size() &&
         std::memcmp(contents.data(), magic.data(), magic.size()) == 0;
}

Dataset read_npy(const std::string& features_path, const std::string& labels_path,
                 const ReadOptions& options) {
  const NpyArray array = read_npy_array(features_path);
  if (array.shape.size() < 2) {
    fail(features_path,
         fmt::format("features need an array of samples x features; this one has {} dimension(s)",
                     array.shape.size()));
  }
  Dataset data;
  data.origin = features_path;
  data.samples = array.shape[0];
  data.element = array.type;
  data.row_elements = 1;
  for (std::size_t i = 1; i < array.shape.size(); ++i) {
    data.row_elements *= array.shape[i];
  }
  data.features = data.row_elements;
  data.values = array.elements;
  LabelTable labels;
  if (!labels_path.empty()) {
    const NpyArray label_array = read_npy_array(labels_path);
    std::size_t count = 1;
    for (const std::size_t extent : label_array.shape) {
      count *= extent;
    }
    if (count != data.samples) {
      fail(labels_path,
           fmt::format("{} labels, but {} has {} samples{}", count, features_path, data.samples,
                       label_array.shape.size() > 1
                           ? "; a label is the number of a class, not a vector"
                           : ""));
    }
    for (std::size_t i = 0; i < count; ++i) {
      add_label(label_array, i, labels);
    }
    labels.finish(data);
  } else if (options.features != data.row_elements && data.row_elements > 0) {
    data.omitted_column =
        find_label_column(options.label_column, data.row_elements, {}, features_path);
    data.features = data.row_elements - 1;
    for (std::size_t i = 0; i < data.samples; ++i) {
      add_label(array, i * data.row_elements + data.omitted_column, labels);
    }
    labels.finish(data);
  }
  return data;
}

}  // namespace dnn
