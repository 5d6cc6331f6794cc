#include "dnn/store/data_fingerprint.hpp"

#include <algorithm>
#include <span>

#include "dnn/core/sha256.hpp"
#include "dnn/data/table_schema_json.hpp"

namespace dnn {

namespace {

constexpr std::size_t most_bytes = std::size_t{64} << 20;
constexpr std::size_t piece = 4096;

void add_text(Sha256& hash, const std::string& text) {
  const std::string counted = std::to_string(text.size()) + ":" + text;
  hash.update(std::as_bytes(std::span(counted)));
}

void add_bytes(Sha256& hash, std::span<const std::byte> bytes) {
  add_text(hash, std::to_string(bytes.size()));
  if (bytes.size() <= most_bytes) {
    hash.update(bytes);
    return;
  }
  constexpr std::size_t pieces = most_bytes / piece;
  for (std::size_t i = 0; i < pieces; ++i) {
    const std::size_t first = part_of(bytes.size() - piece, pieces, i).begin;
    hash.update(bytes.subspan(first, piece));
  }
}

}  // namespace

std::string data_fingerprint(const TrainingData& data) {
  const Dataset& train = data.train;
  Sha256 hash;
  add_text(hash, std::to_string(train.samples) + " " + std::to_string(train.features) + " " +
                     std::to_string(static_cast<int>(train.element)));
  for (const auto* names : {&train.class_names, &train.feature_names}) {
    add_text(hash, std::to_string(names->size()));
    for (const std::string& name : *names) {
      add_text(hash, name);
    }
  }
  add_text(hash, to_text(train.schema));
  add_bytes(hash, train.labels.view);
  if (has_target_rows(train.task)) {
    add_text(hash, word_for(train.task));
    add_bytes(hash, train.target_rows.view);
  }
  if (train.has_weights()) {
    add_bytes(hash, train.weights.view);
  }
  add_bytes(hash, train.row_offsets.view);
  add_bytes(hash, train.value_columns.view);
  add_bytes(hash, train.values.view);
  add_bytes(hash, std::as_bytes(std::span(data.normalizer.center)));
  add_bytes(hash, std::as_bytes(std::span(data.normalizer.scale)));
  if (data.normalizer.clip > 0) {
    add_text(hash, std::to_string(data.normalizer.clip));
  }
  return to_hex(hash.finish());
}

}  // namespace dnn
