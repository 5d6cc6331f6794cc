#pragma once

#include <string>
#include <vector>

#include "dnn/data/reading_team.hpp"
#include "dnn/files/file_stamp.hpp"

namespace dnn {

/// Which files the nodes of a run read.
enum class DataAccess {
  automatic,  ///< shared, where all nodes see the same files
  shared,     ///< all nodes see the same files, of which each reads a part
  local       ///< each node reads files of its own
};

/// How the members of a team read the files of a data set.
struct FileAccess {
  bool is_shared = false;
  std::string why_not;  ///< what differs between two hosts, where something does
};

/// Collective over `team`: whether its members, each on a host, see the same files: equally many,
/// each with the same size, time of the last writing and number (inode) on all. `stamps`: of the
/// files as this member sees them, in an order that all have. Data without files are not shared.
/// Throws InputError, on all members, where `wanted` is shared and sizes or times differ.
[[nodiscard]] FileAccess find_access(const ReadingTeam& team, const std::vector<FileStamp>& stamps,
                                     DataAccess wanted);

}  // namespace dnn
