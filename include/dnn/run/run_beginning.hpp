#pragma once

#include <optional>
#include <string>

#include "dnn/checkpoint/run_folder.hpp"
#include "dnn/comm/communicator.hpp"
#include "dnn/options/config.hpp"
#include "dnn/plan/run_plan.hpp"
#include "dnn/report/reporter.hpp"
#include "dnn/run/resume_decision.hpp"
#include "dnn/run/run_lock.hpp"

namespace dnn {

/// How a run begins.
struct Beginning {
  std::string path;         ///< the run folder
  bool finished = false;    ///< so is the run in it
  bool reads_data = false;  ///< false: it is finished, with the same data as far as can be told
  bool resumes = false;
  bool is_numbered = false;  ///< see ResumeDecision
  DataFiles files = {};      ///< rank 0's, before they are read
};

/// Collective: how the run begins, as rank 0 sees it. Changes nothing. Throws AgreedError for what
/// ResumeDecision refuses.
[[nodiscard]] Beginning find_beginning(const Config& config, const Communicator& world);

/// The run folder as this process found and prepared it.
struct OpenedFolder {
  RunFolder folder;
  std::optional<RunLock> lock;      ///< rank 0's
  std::optional<ResumedFrom> from;  ///< rank 0's
  std::string resumed_from;         ///< on all ranks; empty: the run starts anew
  bool finished = false;            ///< on all ranks: another job has finished the run meanwhile
};

/// Collective: the run folder, locked and prepared by rank 0 for a run that starts anew or resumes,
/// and named on all ranks. Where the run is finished by now, the folder stays as it is. Throws
/// AgreedError where it cannot be used, or not with these settings and data.
[[nodiscard]] OpenedFolder open_run_folder(const Config& config, const Communicator& world,
                                           const RunPlan& plan, const Beginning& beginning,
                                           const DataIdentity& data, Reporter& reporter);

/// Warns of each checkpoint that was passed over.
void warn_of_damage(const ResumedFrom& from);

}  // namespace dnn
