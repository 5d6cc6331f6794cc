#include "dnn/train/nonfinite_policy.hpp"

#include <fcntl.h>
#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <span>
#include <utility>
#include <vector>

#include "dnn/core/error.hpp"
#include "dnn/core/messages.hpp"
#include "dnn/core/output_file.hpp"

namespace dnn {

namespace {

using Json = nlohmann::ordered_json;

/// The first few samples, counted from 1 as everywhere where people read them.
std::string name_samples(const Json& samples) {
  constexpr std::size_t most = 16;
  std::string text;
  for (std::size_t i = 0; i < std::min(samples.size(), most); ++i) {
    text += (i > 0 ? ", " : "") + samples[i].dump();
  }
  if (samples.size() > most) {
    text += " and " + std::to_string(samples.size() - most) + " more";
  }
  return text;
}

/// This rank's finding as a line of JSON; empty where it has none.
std::string own_finding(const Communicator& world, const std::optional<BadNumbers>& bad) {
  if (!bad) {
    return {};
  }
  Json samples = Json::array();
  for (const std::uint64_t sample : bad->samples) {
    samples.push_back(sample + 1);
  }
  return Json{{"rank", world.job_rank()},
              {"host", host_name()},
              {"what", bad->what},
              {"samples", std::move(samples)}}
      .dump(-1, ' ', false, Json::error_handler_t::replace);
}

const char* word_for_action(NonfinitePolicy::Action action) {
  switch (action) {
    case NonfinitePolicy::Action::skip:
      return "the update is left out";
    case NonfinitePolicy::Action::roll_back:
      return "the run goes back to its newest checkpoint";
    default:
      return "the run ends";
  }
}

}  // namespace

std::vector<std::string> gather_findings(const Communicator& world,
                                         const std::optional<BadNumbers>& bad) {
  std::vector<std::string> findings = world.gather(own_finding(world, bad), 0);
  std::erase(findings, std::string());
  return findings;
}

std::string describe_findings(const std::vector<std::string>& findings) {
  std::string text;
  for (const std::string& line : findings) {
    const Json finding = Json::parse(line);
    text += "\n  rank " + finding["rank"].dump() + " (host " + finding["host"].get<std::string>() +
            "): " + finding["what"].get<std::string>() + "; samples " +
            name_samples(finding["samples"]) + " of the training data";
  }
  return text;
}

std::optional<BadNumbers> in_words_of_the_data(std::optional<BadNumbers> bad,
                                               const std::vector<std::string>& class_names) {
  if (bad && bad->class_index) {
    bad->what += ", class " + in_quotes(class_names[*bad->class_index]);
  }
  if (bad && !bad->origin.empty()) {
    bad->what += "; it begins in " + bad->origin;
  }
  return bad;
}

NonfinitePolicy::NonfinitePolicy(OnNonfinite policy, const Communicator& world,
                                 const std::vector<std::string>& class_names, std::string log)
    : policy_(policy), world_(world), class_names_(class_names), log_(std::move(log)) {}

std::string NonfinitePolicy::reason_to_end(const std::string& saved) const {
  constexpr const char* advice =
      ". Look at the samples named here and in the lines above; to keep the numbers of a new run "
      "small, set a lower --lr, --clip-norm or --normalize";
  if (in_a_row_ > most_in_a_row) {
    return message_ + saved +
           fmt::format(
               "\nMore than {} updates in a row were not finite, so the training makes no "
               "progress",
               most_in_a_row) +
           advice;
  }
  if (rolled_back_.size() > most_in_a_row) {
    return message_ + saved +
           fmt::format(
               "\nThe run has gone back to a checkpoint {} times for updates that were not "
               "finite; --on-nonfinite skip leaves them out at once",
               most_in_a_row) +
           advice;
  }
  return message_ + saved +
         "\nThe training diverged, or the data are damaged. To leave such updates out, repeat the "
         "command with --on-nonfinite skip. To keep the numbers of a new run small, set a lower "
         "--lr, --clip-norm or --normalize";
}

NonfinitePolicy::Action NonfinitePolicy::decide(const Place& place,
                                                const std::optional<BadNumbers>& bad) {
  const Action action = choose(place.update);
  report(place, bad, action);
  return action;
}

NonfinitePolicy::Action NonfinitePolicy::choose(std::uint64_t update) {
  if (policy_ == OnNonfinite::rollback && rolled_back_.insert(update).second) {
    in_a_row_ = 0;  // the updates before it come again, from wherever the checkpoint is
    return rolled_back_.size() > most_in_a_row ? Action::abort : Action::roll_back;
  }
  if (policy_ == OnNonfinite::abort || ++in_a_row_ > most_in_a_row) {
    return Action::abort;
  }
  return Action::skip;
}

void NonfinitePolicy::report(const Place& place, const std::optional<BadNumbers>& bad,
                             Action action) {
  const std::vector<std::string> findings =
      gather_findings(world_, in_words_of_the_data(bad, class_names_));
  std::string text = "update " + std::to_string(place.update) + " (epoch " +
                     std::to_string(place.epoch) + ", step " + std::to_string(place.step) +
                     ") is not finite:" + describe_findings(findings);
  Json entry = {{"update", place.update},
                {"epoch", place.epoch},
                {"step", place.step},
                {"action", word_for_action(action)},
                {"findings", Json::array()}};
  for (const std::string& line : findings) {
    entry["findings"].push_back(Json::parse(line));
  }
  message_ = world_.broadcast(std::move(text), 0);
  if (!world_.is_root()) {
    return;
  }
  if (action != Action::abort) {
    complain("dnn_train: warning: " + message_ + "\n  " + word_for_action(action));
  }
  if (log_.empty()) {
    return;
  }
  try {
    OutputFile file(log_, O_APPEND | O_CREAT, log_);
    const std::string line = entry.dump() + '\n';
    file.write(std::as_bytes(std::span(line)));
    file.close();
  } catch (const FileError& error) {
    complain(std::string("dnn_train: warning: cannot write the report: ") + error.what());
  }
}

}  // namespace dnn
