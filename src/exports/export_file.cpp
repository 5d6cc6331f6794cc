#include "dnn/exports/export_file.hpp"

#include <fmt/format.h>

#include <cstdint>
#include <list>
#include <nlohmann/json.hpp>

#include "dnn/core/atomic_file.hpp"
#include "dnn/exports/cpp_header.hpp"
#include "dnn/exports/onnx_model.hpp"
#include "dnn/exports/stored_zip.hpp"

namespace dnn {

namespace {

using Pieces = std::vector<std::span<const std::byte>>;

std::span<const std::byte> bytes_of(const std::string& text) {
  return std::as_bytes(std::span(text));
}

/// What stands before an array in a NPY file of version 1.0.
std::string npy_head(const ExportedTensor& tensor) {
  std::string shape;
  for (const std::uint64_t size : tensor.shape) {
    shape += std::to_string(size) + ", ";
  }
  shape.pop_back();  // (5,) or (3, 5,)
  std::string text = fmt::format("{{'descr': '<f{}', 'fortran_order': False, 'shape': ({}), }}",
                                 element_bytes(tensor.type), shape);
  constexpr std::size_t before = 10;
  text.resize((before + text.size() + 1 + 63) / 64 * 64 - before - 1, ' ');
  text += '\n';
  const auto size = static_cast<std::uint16_t>(text.size());
  return std::string("\x93NUMPY\x01\x00", 8) + static_cast<char>(size & 0xff) +
         static_cast<char>(size >> 8) + text;
}

void write_npz(const ExportedModel& model, const std::string& path) {
  StoredZip archive;
  std::list<std::string> heads;
  for (const ExportedTensor& tensor : model.tensors()) {
    heads.push_back(npy_head(tensor));
    archive.add(tensor.name + ".npy", {bytes_of(heads.back()), tensor.bytes});
  }
  archive.add("description.json", {bytes_of(model.description_json())});
  write_file_atomically(path, archive.finish());
}

/// A length, a JSON object of places, the arrays: https://github.com/huggingface/safetensors.
void write_safetensors(const ExportedModel& model, const std::string& path) {
  nlohmann::ordered_json places = {
      {"__metadata__",
       {{"producer", model.description().program}, {"description", model.description_json()}}}};
  Pieces pieces(2);
  // Doubles first, so that each array begins at a multiple of its elements' size.
  std::uint64_t place = 0;
  for (const Precision type : {Precision::f64, Precision::f32}) {
    for (const ExportedTensor& tensor : model.tensors()) {
      if (tensor.type == type) {
        places[tensor.name] = {{"dtype", type == Precision::f64 ? "F64" : "F32"},
                               {"shape", tensor.shape},
                               {"data_offsets", {place, place + tensor.bytes.size()}}};
        place += tensor.bytes.size();
        pieces.push_back(tensor.bytes);
      }
    }
  }
  std::string head = places.dump(-1, ' ', true, nlohmann::ordered_json::error_handler_t::replace);
  head.resize((head.size() + 7) / 8 * 8, ' ');
  std::string length;
  for (int i = 0; i < 8; ++i) {
    length += static_cast<char>(head.size() >> (8 * i) & 0xff);
  }
  pieces[0] = bytes_of(length);
  pieces[1] = bytes_of(head);
  write_file_atomically(path, pieces);
}

}  // namespace

void export_model(const ExportedModel& model, ExportFormat format, const std::string& path) {
  switch (format) {
    case ExportFormat::npz:
      write_npz(model, path);
      break;
    case ExportFormat::safetensors:
      write_safetensors(model, path);
      break;
    case ExportFormat::onnx:
      write_file_atomically(path, onnx_model(model));
      break;
    case ExportFormat::header:
      write_file_atomically(path, cpp_header(model));
      break;
  }
}

}  // namespace dnn
