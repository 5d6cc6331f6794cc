#include "dnn/report/step_log.hpp"

#include <nlohmann/json.hpp>
#include <optional>

#include "dnn/core/atomic_file.hpp"

namespace dnn {

void StepLog::add(const StepRecord& record) {
  constexpr double flush_interval = 1;  // seconds
  file_.add(record.to_json().dump() + '\n');
  if (since_flush_.seconds() >= flush_interval) {
    flush();
  }
}

void StepLog::add(const EpochMetrics& /*epoch*/, std::uint64_t /*update*/) {
  flush();
}

void StepLog::flush() {
  since_flush_.lap();
  file_.flush();
}

void cut_step_log(const std::string& path, std::uint64_t update) {
  const std::optional<std::string> text = contents_of(path);
  if (!text) {
    return;
  }
  std::string kept;
  std::size_t begin = 0;
  for (std::size_t end; (end = text->find('\n', begin)) != std::string::npos; begin = end + 1) {
    const std::string line = text->substr(begin, end - begin);
    const auto json = nlohmann::json::parse(line, nullptr, false);
    const auto number = json.is_object() ? json.find("update") : json.end();
    if (number == json.end() || !number->is_number_unsigned() ||
        number->get<std::uint64_t>() > update) {
      break;
    }
    kept += line + '\n';
  }
  if (kept.size() != text->size()) {
    write_file_atomically(path, kept);
  }
}

}  // namespace dnn
