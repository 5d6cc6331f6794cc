#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "dnn/checkpoint/checkpoint_settings.hpp"
#include "dnn/comm/numa_domain.hpp"
#include "dnn/model/provenance.hpp"
#include "dnn/options/defaults_settings.hpp"
#include "dnn/report/hyperparameter.hpp"
#include "dnn/report/progress_settings.hpp"
#include "dnn/train/trainer_settings.hpp"

namespace dnn {

/// Whether a run ends with the importance of the columns, see permutation_importance.
enum class ColumnImportance { automatic, off };

/// Which ranks share memory, where a run writes, how it resumes and when it ends.
struct RunSettings {
  SharingDomain domain = SharingDomain::automatic;
  std::string output;  ///< the run folder; empty: the first free runs/NNN
  bool overwrite = false;
  std::string job;              ///< see Note [The same command again]; empty: none
  std::string resume = "auto";  ///< or never, or a run folder or checkpoint
  std::string time_limit;       ///< see parse_time_limit; empty: none
  double stall_timeout = 300;   ///< seconds without any progress; 0: any
  bool quiet = false;
  bool dry_run = false;
  ColumnImportance importance = ColumnImportance::automatic;
  std::string explain_data;  ///< data that are only described; empty: a run
};

/// The options of a training run. Each layer declares the settings that it obeys; option_table()
/// says which option sets which of them.
struct Config : TrainerSettings,
                CheckpointSettings,
                RunSettings,
                ProgressSettings,
                DefaultsSettings {};

/// Whether all sums of a run have one order, see Note [One tree over logical shards]: products in
/// bf16 depend on the threads, compressed sums on which ranks share a node.
[[nodiscard]] bool has_fixed_order(const Config& config);

/// Whether folds can be trained by groups of ranks without the groups being seen in the result, see
/// Note [Folds side by side].
[[nodiscard]] bool folds_go_side_by_side(const Config& config);

/// Throws InputError for a value no run could have, naming the option.
void check(const Config& config);

/// The configuration as JSON: option names and effective values, in the order of --help, and under
/// "chosen" those of them that follow from the data, with the reason.
[[nodiscard]] nlohmann::ordered_json to_json(const Config& config);

/// What may make a run better or worse than another: the options of the data, the network and the
/// training, and their effective values; lists as "512,256". Those without a value are left out.
[[nodiscard]] std::vector<HyperParameter> hyperparameters(const Config& config);

/// The configuration as TOML text that --config takes back. What the data are yet to decide stands
/// in it as a comment.
[[nodiscard]] std::string to_toml(const Config& config);

/// What models and checkpoints of this run record.
[[nodiscard]] Provenance provenance_of(const Config& config, const Environment& environment);

}  // namespace dnn
