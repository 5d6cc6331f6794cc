#include "dnn/checkpoint/parallel_checkpoint.hpp"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <exception>
#include <filesystem>
#include <limits>
#include <nlohmann/json.hpp>
#include <utility>

#include "dnn/core/atomic_file.hpp"
#include "dnn/core/classic_text.hpp"
#include "dnn/core/error.hpp"
#include "dnn/core/stopwatch.hpp"

namespace dnn {

namespace fs = std::filesystem;

namespace {

/// Collective: rank 0's clock, as a text that no two checkpoints of a folder share.
std::string this_moment(const Communicator& world) {
  char text[24];
  std::snprintf(
      text, sizeof(text), "%016llx",
      static_cast<unsigned long long>(std::chrono::system_clock::now().time_since_epoch().count()));
  return world.broadcast(text, 0);
}

}  // namespace

ParallelCheckpoint::ParallelCheckpoint(const Communicator& world, CheckpointFolder folder,
                                       Checkpoint checkpoint, ElementRuns elements,
                                       std::vector<std::byte> bytes)
    : world_(world), folder_(std::move(folder)), checkpoint_(std::move(checkpoint)) {
  const std::string begun = this_moment(world);
  const std::string updates =
      world.broadcast(std::to_string(checkpoint_.updates), 0);  // rank 0's counts
  if (elements.empty()) {
    return;
  }
  mine_ = std::async(std::launch::async,
                     [folder = folder_, elements = std::move(elements),
                      file = folder_.part_for(std::stoull(updates), begun, world.rank()),
                      bytes = std::move(bytes)]() mutable {
                       const Stopwatch watch;
                       Written written;
                       try {
                         folder.create();  // again, where it is gone
                         written.part = save_part(folder.path(), file, elements, bytes);
                       } catch (const std::exception& error) {
                         written.error = error.what();
                       }
                       bytes = {};  // the snapshot's memory, before anybody asks for the result
                       written.seconds = watch.seconds();
                       return written;
                     });
}

bool ParallelCheckpoint::is_written() const {
  return !mine_.valid() || mine_.wait_for(std::chrono::seconds(0)) == std::future_status::ready;
}

std::string ParallelCheckpoint::to_text(const Written& written) {
  const CheckpointPart& part = written.part;
  ClassicOutput elements;
  part.elements.write(elements);
  return nlohmann::json{{"file", part.file},      {"elements", elements.str()},
                        {"bytes", part.bytes},    {"checksum", part.checksum},
                        {"error", written.error}, {"seconds", written.seconds}}
      .dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

ParallelCheckpoint::Written ParallelCheckpoint::from_text(const std::string& text) {
  const auto json = nlohmann::json::parse(text);
  ClassicInput elements(json["elements"].get<std::string>());
  return {{json["file"], ElementRuns::read(elements, std::numeric_limits<std::size_t>::max()),
           json["bytes"], json["checksum"]},
          json["error"],
          json["seconds"]};
}

ParallelCheckpoint::Outcome ParallelCheckpoint::collect() {
  const auto texts = world_.gather(mine_.valid() ? to_text(mine_.get()) : std::string(), 0);
  Outcome outcome;
  std::vector<CheckpointPart>& parts = checkpoint_.parts.parts;
  for (std::size_t rank = 0; rank < texts.size(); ++rank) {
    if (texts[rank].empty()) {
      continue;
    }
    const Written written = from_text(texts[rank]);
    outcome.seconds = std::max(outcome.seconds, written.seconds);
    std::error_code error;
    std::string problem = written.error;
    if (problem.empty()) {
      parts.push_back(written.part);
      const std::string path = folder_.path() + "/" + written.part.file;
      if (fs::file_size(path, error) != written.part.bytes) {
        problem = path + ": rank 0 does not see what was written";
      }
    }
    if (outcome.error.empty() && !problem.empty()) {
      outcome.error = "rank " + std::to_string(rank) + ": " + problem;
    }
  }
  if (!outcome.error.empty()) {
    for (const CheckpointPart& part : parts) {
      folder_.remove(part.file);
    }
    parts.clear();
  }
  outcome.checkpoint = std::move(checkpoint_);
  return outcome;
}

std::string why_not_shared(const Communicator& world, const std::string& path) {
  // A name that the next start removes, should this process end before it does.
  const std::string probe = path + "/step-shared.tmp." + this_moment(world);
  std::string reason;
  std::error_code error;
  if (world.is_root()) {
    try {
      fs::create_directories(path, error);
      write_file_atomically(probe, std::string("x"));
    } catch (const FileError& thrown) {
      reason = thrown.what();
    }
  }
  world.barrier();
  const std::int64_t sees = fs::exists(probe, error) ? 1 : 0;
  if (world.all_reduce(sees, Reduction::min) == 0 && reason.empty()) {
    reason = "not all ranks see what rank 0 writes into " + path;
  }
  if (world.is_root()) {
    fs::remove(probe, error);
  }
  return world.broadcast(reason, 0);
}

}  // namespace dnn
