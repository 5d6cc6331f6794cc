#pragma once

#include <string>

#include "dnn/checkpoint/run_folder.hpp"
#include "dnn/options/config.hpp"
#include "dnn/run/recorded_run.hpp"

namespace dnn {

// The same command again, where the run in its folder is finished.
//
// Note [The data of a finished run]
// A batch system starts jobs again that are done, and their data may be gone by then. So the same
// command ends at once, where its data's files are those of before (path, size, times, inode
// number), pipes, or gone. Where other options name the data, or the files are others, the data are
// read: the same contents elsewhere are as good; other contents are refused.

/// Whether the data must be read to tell that they are those of the finished run in this folder.
/// `files`: those that `config` names. Always for --dry-run, which checks the data.
[[nodiscard]] bool must_read_data(const RunFolder& folder, const Config& config,
                                  const DataFiles& files);

/// Throws InputError, with old and new values, unless `data`, which `config` names, are those of
/// the finished run in this folder.
void check_finished_data(const RunFolder& folder, const Config& config, const DataIdentity& data);

/// Says that the run in this folder is finished, and what can be done with it: by its schedule, and
/// by what ended it.
[[nodiscard]] std::string describe_finished(const RunFolder& folder);

}  // namespace dnn
