#include "dnn/store/data_fingerprint.hpp"

#include <span>

#include "dnn/core/sha256.hpp"
#include "dnn/data/table_schema_json.hpp"

namespace dnn {

namespace {

void add_text(Sha256& hash, const std::string& text) {
  const std::string counted = std::to_string(text.size()) + ":" + text;
  hash.update(std::as_bytes(std::span(counted)));
}

void add_digest(Sha256& hash, const DataDigest& digest) {
  for (const std::string* part : {&digest.description, &digest.labels, &digest.features}) {
    add_text(hash, *part);
  }
}

}  // namespace

std::string data_fingerprint(const TrainingData& data) {
  Sha256 hash;
  add_digest(hash, data.digest);
  add_text(hash, to_text(data.train.schema));  // with the medians that stand for missing values
  hash.update(std::as_bytes(std::span(data.normalizer.center)));
  hash.update(std::as_bytes(std::span(data.normalizer.scale)));
  add_text(hash, std::to_string(data.normalizer.clip));
  return to_hex(hash.finish());
}

std::string test_fingerprint(const TrainingData& data) {
  if (!data.test) {
    return {};
  }
  Sha256 hash;
  add_digest(hash, data.test_digest);
  return to_hex(hash.finish());
}

}  // namespace dnn
