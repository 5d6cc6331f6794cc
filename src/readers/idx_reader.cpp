#include "dnn/readers/idx_reader.hpp"

#include <fmt/format.h>

#include "dnn/core/error.hpp"
#include "dnn/data/label_table.hpp"
#include "dnn/files/contents.hpp"

namespace dnn {

namespace {

struct IdxArray {
  std::vector<std::size_t> shape;
  Bytes elements;
};

std::size_t big_endian_32(std::span<const std::byte> bytes) {
  std::size_t value = 0;
  for (std::size_t i = 0; i < 4; ++i) {
    value = value << 8 | std::to_integer<std::size_t>(bytes[i]);
  }
  return value;
}

IdxArray read_idx_array(const std::string& path) {
  const Bytes file = read_contents(path);
  if (file.size() < 4) {
    throw InputError(fmt::format("{}: truncated IDX file ({} bytes)", path, file.size()));
  }
  if (file.view[0] != std::byte{0} || file.view[1] != std::byte{0}) {
    throw InputError(path + ": corrupt IDX file (it does not begin with two zero bytes)");
  }
  if (file.view[2] != std::byte{0x08}) {
    throw InputError(
        fmt::format("{}: IDX elements of type code {}; only unsigned bytes (8) can be read", path,
                    std::to_integer<int>(file.view[2])));
  }
  const auto dimensions = std::to_integer<std::size_t>(file.view[3]);
  const std::size_t start = 4 + 4 * dimensions;
  if (file.size() < start) {
    throw InputError(path + ": truncated IDX header");
  }
  IdxArray array;
  std::size_t bytes = 1;
  for (std::size_t i = 0; i < dimensions; ++i) {
    array.shape.push_back(big_endian_32(file.view.subspan(4 + 4 * i)));
    if (__builtin_mul_overflow(bytes, array.shape.back(), &bytes)) {
      throw InputError(path + ": corrupt IDX header (its extents overflow)");
    }
  }
  if (file.size() - start != bytes) {
    throw InputError(fmt::format(
        "{}: {} IDX file: the header promises {} bytes of elements, {} are there", path,
        file.size() - start < bytes ? "truncated" : "corrupt", bytes, file.size() - start));
  }
  array.elements = file.part(start, bytes);
  return array;
}

}  // namespace

Dataset read_idx(const std::string& images_path, const std::string& labels_path) {
  const IdxArray images = read_idx_array(images_path);
  if (images.shape.size() < 2) {
    throw InputError(fmt::format("{}: images need at least two dimensions, this file has {}",
                                 images_path, images.shape.size()));
  }
  Dataset data;
  data.origin = images_path;
  data.samples = images.shape[0];
  data.element = ElementType::u8;
  data.row_elements = 1;
  for (std::size_t i = 1; i < images.shape.size(); ++i) {
    data.row_elements *= images.shape[i];
  }
  data.features = data.row_elements;
  data.values = images.elements;
  if (labels_path.empty()) {
    return data;
  }
  const IdxArray label_array = read_idx_array(labels_path);
  if (label_array.shape.size() != 1 || label_array.shape[0] != data.samples) {
    throw InputError(fmt::format("{}: {} labels, but {} has {} images", labels_path,
                                 label_array.elements.size(), images_path, data.samples));
  }
  LabelTable labels;
  for (const std::byte label : label_array.elements.view) {
    labels.add(std::to_integer<std::int64_t>(label));
  }
  labels.finish(data);
  return data;
}

}  // namespace dnn
