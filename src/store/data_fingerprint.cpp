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

}  // namespace

std::string data_fingerprint(const TrainingData& data) {
  Sha256 hash;
  for (const std::string* part :
       {&data.digest.description, &data.digest.labels, &data.digest.features}) {
    add_text(hash, *part);
  }
  add_text(hash, to_text(data.train.schema));  // with the medians that stand for missing values
  hash.update(std::as_bytes(std::span(data.normalizer.center)));
  hash.update(std::as_bytes(std::span(data.normalizer.scale)));
  add_text(hash, std::to_string(data.normalizer.clip));
  return to_hex(hash.finish());
}

}  // namespace dnn
