#include "dnn/train/tensor_parts.hpp"

#include <algorithm>
#include <utility>

#include "dnn/core/copy_bytes.hpp"

namespace dnn {

namespace {

/// Calls `visit(whole, part, count)` for each run of `count` elements that lie side by side both in
/// a whole tensor, from `whole` on, and in a part of it, from `part` on; without padding.
template <class Visitor>
void for_each_run(const ParameterLayout& layout, Visitor&& visit) {
  std::size_t whole = 0;
  std::size_t part = 0;
  for (std::size_t n = 0; n < layout.layers().size(); ++n) {
    const LayerLayout& layer = layout.layers()[n];
    const std::size_t outputs = layout.widths()[n + 1];
    const auto run = [&](std::size_t row) {
      visit(whole + row * outputs + layer.columns.begin, part, layer.outputs);
      part += layer.outputs;
    };
    for (std::size_t row = layer.rows.begin; row < layer.rows.end; ++row) {
      run(row);
    }
    whole += layout.widths()[n] * outputs;
    run(0);  // B
    whole += outputs;
  }
}

std::vector<ParameterLayout> all_parts(const ParameterLayout& part, std::size_t model_ranks) {
  std::vector<LayerSplit> splits;
  for (const LayerLayout& layer : part.layers()) {
    splits.push_back(layer.split);
  }
  std::vector<ParameterLayout> parts;
  for (std::size_t m = 0; m < model_ranks; ++m) {
    parts.emplace_back(part.widths(), splits, model_ranks, m, part.class_blocks());
  }
  return parts;
}

}  // namespace

TensorParts::TensorParts(const RankGrid& grid, const ParameterLayout& part, Range own,
                         std::size_t element_bytes)
    : grid_(grid),
      parts_(all_parts(part, grid.model_ranks())),
      element_bytes_(element_bytes),
      whole_count_(ParameterLayout(part.widths()).parameter_count()),
      saved_(SavedElements::find(grid.data_group(), part, own)) {
  find_written();
}

void TensorParts::find_written() {
  const ParameterLayout& layout = parts_[grid_.model_shard()];
  const std::vector<Range> common = layout.common_ranges();
  std::size_t whole = 0;  // where the tensor begins in the whole one
  const auto add = [&](Range tensor, std::size_t rows, std::size_t outputs, Range held_rows,
                       Range held_columns) {
    Range mine = intersect(tensor, saved_.flat);
    if (std::find(common.begin(), common.end(), tensor) != common.end()) {
      const Range share = part_of(mine.size(), grid_.model_ranks(), grid_.model_shard());
      mine = {mine.begin + share.begin, mine.begin + share.end};
    }
    const std::size_t columns = held_columns.size();
    for (std::size_t at = mine.begin; at < mine.end;) {
      const std::size_t row = (at - tensor.begin) / columns;
      const std::size_t row_begin = tensor.begin + row * columns;
      const std::size_t end = std::min(mine.end, row_begin + columns);
      written_.add(whole + (held_rows.begin + row) * outputs + held_columns.begin + at - row_begin,
                   end - at);
      at = end;
    }
    if (!mine.empty()) {
      written_flat_.push_back(mine);
    }
    whole += rows * outputs;
  };
  for (std::size_t n = 0; n < layout.layers().size(); ++n) {
    const LayerLayout& layer = layout.layers()[n];
    const std::size_t outputs = layout.widths()[n + 1];
    add(layer.weights, layout.widths()[n], outputs, layer.rows, layer.columns);
    add(layer.bias, 1, outputs, {0, 1}, layer.columns);
  }
}

template <class T>
void TensorParts::append_written(std::span<const T> held, std::size_t first, Bytes& bytes) const {
  for (const Range range : written_flat_) {
    const auto part = std::as_bytes(held.subspan(range.begin - first, range.size()));
    bytes.insert(bytes.end(), part.begin(), part.end());
  }
}

template void TensorParts::append_written(std::span<const float>, std::size_t, Bytes&) const;
template void TensorParts::append_written(std::span<const double>, std::size_t, Bytes&) const;

void TensorParts::append_written(const Bytes& taken, Bytes& bytes) const {
  const ParameterLayout& layout = parts_[grid_.model_shard()];
  for (const Range range : written_flat_) {
    const std::size_t begin = packed_offset(layout, range.begin) - saved_.packed.begin;
    const auto part =
        std::span(taken).subspan(begin * element_bytes_, range.size() * element_bytes_);
    bytes.insert(bytes.end(), part.begin(), part.end());
  }
}

template <class T>
TensorParts::Bytes TensorParts::take(std::span<const T> held, std::size_t first) const {
  Bytes bytes;
  bytes.reserve(saved_.packed.size() * sizeof(T));  // growing, it would be there twice
  append_packed<T>(parts_[grid_.model_shard()], held, first, saved_.flat, bytes);
  return bytes;
}

template TensorParts::Bytes TensorParts::take(std::span<const float>, std::size_t) const;
template TensorParts::Bytes TensorParts::take(std::span<const double>, std::size_t) const;

TensorParts::Bytes TensorParts::gather(std::span<const std::byte> taken) const {
  const std::size_t own_count = parts_[grid_.model_shard()].parameter_count();
  Bytes own(grid_.data_shard() == 0 ? own_count * element_bytes_ : 0);
  grid_.data_group().gather_slices(taken, saved_.packed.begin * element_bytes_, own, 0);
  if (!grid_.is_split()) {
    return own;
  }
  const bool is_root = grid_.world().is_root();
  Bytes whole(is_root ? whole_count_ * element_bytes_ : 0);
  for (std::size_t m = 0; grid_.data_shard() == 0 && m < parts_.size(); ++m) {
    Bytes part(is_root ? parts_[m].parameter_count() * element_bytes_ : 0);
    const auto given = std::span<const std::byte>(own).first(
        grid_.model_shard() == m ? own_count * element_bytes_ : 0);
    grid_.model_group().gather_slices(given, 0, part, 0);
    if (is_root) {
      for_each_run(parts_[m], [&](std::size_t to, std::size_t from, std::size_t count) {
        copy_bytes(whole.data() + to * element_bytes_, part.data() + from * element_bytes_,
                   count * element_bytes_);
      });
    }
  }
  return whole;
}

TensorParts::Bytes TensorParts::distribute(Bytes whole) const {
  if (!grid_.is_split()) {
    whole.resize(whole_count_ * element_bytes_);
    grid_.world().broadcast(std::span(whole), 0);
    return whole;
  }
  Bytes own;
  for (std::size_t m = 0; grid_.data_shard() == 0 && m < parts_.size(); ++m) {
    Bytes part(parts_[m].parameter_count() * element_bytes_);
    if (grid_.world().is_root()) {
      for_each_run(parts_[m], [&](std::size_t from, std::size_t to, std::size_t count) {
        copy_bytes(part.data() + to * element_bytes_, whole.data() + from * element_bytes_,
                   count * element_bytes_);
      });
    }
    grid_.model_group().broadcast(std::span(part), 0);
    if (m == grid_.model_shard()) {
      own = std::move(part);
    }
  }
  whole = {};
  own.resize(parts_[grid_.model_shard()].parameter_count() * element_bytes_);
  grid_.data_group().broadcast(std::span(own), 0);
  return own;
}

}  // namespace dnn
