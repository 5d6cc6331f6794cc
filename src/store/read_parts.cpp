#include "dnn/store/read_parts.hpp"

#include <fmt/format.h>

#include <string>
#include <utility>

#include "dnn/comm/collective_error.hpp"
#include "dnn/comm/node_cores.hpp"
#include "dnn/core/error.hpp"
#include "dnn/data/label_table.hpp"
#include "dnn/files/stream.hpp"
#include "dnn/readers/data_source.hpp"
#include "dnn/store/data_access.hpp"
#include "dnn/store/leader_team.hpp"

namespace dnn {

namespace {

/// A source of data, and who reads it.
struct OpenSource {
  OpenSource(const std::string& path, const DataSettings& settings, const ReadingTeam& all)
      : source(path), access(find_access(all, source.stamps(), settings.data_access)) {
    if (access.is_shared) {
      team = all;
    }
  }

  DataSource source;
  FileAccess access;
  ReadingTeam team;
};

/// How several nodes read `data`, for the user.
std::string access_note(const Dataset& data, const OpenSource& source, std::size_t nodes) {
  if (data.held) {
    return fmt::format(
        "{}: {} nodes see the same files, and each reads a part of them (--data-access local: each "
        "reads all)",
        data.origin, nodes);
  }
  if (!data.values.mapped_path.empty()) {
    return fmt::format("{}: mapped by each of the {} nodes", data.origin, nodes);
  }
  if (source.access.is_shared) {
    return fmt::format(
        "{}: each of the {} nodes reads all of it (text is read in parts, and HDF5 whose labels "
        "are a dataset of their own)",
        data.origin, nodes);
  }
  return fmt::format("{}: each of the {} nodes reads all of it{}", data.origin, nodes,
                     source.access.why_not.empty()
                         ? std::string()
                         : ", since their files differ: " + source.access.why_not);
}

/// Collective over `team`.
Dataset read_source(OpenSource& open, Part part, ReadOptions options, const ReadingTeam& team) {
  options.team = open.team;
  Dataset data = open.source.read(part, options);
  if (!team.is_alone()) {
    data.notes.push_back(access_note(data, open, team.size()));
  }
  return data;
}

void check_task(const Dataset& train, const DataSettings& settings) {
  if (train.task == Task::classes) {
    check_are_classes(train.class_names, train.origin);
  }
  check_trainable(train);
  if (settings.task != Task::automatic && train.task != settings.task) {
    throw InputError(fmt::format("{}: --task {}: data of this form have classes only", train.origin,
                                 word_for(settings.task)));
  }
  if (!settings.weight_column.empty() && !train.has_weights()) {
    throw InputError(
        fmt::format("{}: --weight-column {}: only a table of text has a column of "
                    "weights; save the data as CSV",
                    train.origin, settings.weight_column));
  }
}

/// Makes the options for data that have to match the training data.
void match(const Dataset& train, ReadOptions& options) {
  options.task = train.task;
  options.outputs = train.classes();
  if (!train.schema.empty()) {
    options.schema = &train.schema;
    // The schema knows them; their numbers may be others here.
    options.label_column.clear();
    options.weight_column.clear();
  } else {
    // A sparse file need not hold the last features; more of them are an error all the same.
    options.features = train.features;
  }
  if (train.is_sparse()) {
    options.index_base = train.index_base;
  }
}

/// Collective over `team`.
DataParts read_parts(const DataSettings& settings, bool wide, const ReadingTeam& team) {
  ReadOptions options = read_options_of(settings, wide);
  if (settings.placement == Placement::disk) {
    options.memory = ScratchMemory(settings.scratch);
  } else if (settings.placement == Placement::automatic) {
    options.spare_memory = ScratchMemory(settings.scratch);
  }
  OpenSource source(settings.data, settings, team);
  DataParts parts{.train = read_source(source, Part::train, options, team)};
  parts.same_train_files = parts.same_test_files = source.access.is_shared;
  const Dataset& train = parts.train;
  check_task(train, settings);
  if (settings.test_data.empty() && !source.source.has_test_part(true)) {
    return parts;
  }
  match(train, options);
  Dataset test;
  if (settings.test_data.empty()) {
    test = read_source(source, Part::test, options, team);
  } else {
    OpenSource test_source(settings.test_data, settings, team);
    test = read_source(test_source, Part::test, options, team);
    parts.same_test_files = test_source.access.is_shared;
  }
  check_encodable(test, train.schema, "the training data");
  check_features(test, train.features, train.feature_names, "the training data");
  use_classes(test, train.class_names, "the training data",
              "leave such samples out of the test data, or have some among the training data");
  if (!test.has_labels() || test.samples == 0) {
    throw InputError(test.origin + ": test data need samples with labels");
  }
  parts.test = std::move(test);
  return parts;
}

}  // namespace

ReadOptions read_options_of(const DataSettings& settings, bool wide) {
  ReadOptions options;
  options.task = settings.task;
  options.label_column = settings.label_column;
  options.label_separator = settings.label_separator;
  options.weight_column = settings.weight_column;
  options.header = settings.csv_header;
  options.columns = settings.columns;
  options.missing = settings.missing;
  options.max_categories = settings.max_categories;
  options.drop_unlabelled = settings.drop_unlabelled;
  options.wide = wide;
  return options;
}

DataParts read_alone(const DataSettings& settings, bool wide) {
  return read_parts(settings, wide, ReadingTeam());
}

std::size_t threads_of_node(std::size_t threads, const NodeCores& cores, const Node& node) {
  return threads == 0 ? cores.node : threads * static_cast<std::size_t>(node.size());
}

std::optional<DataParts> read_on_leaders(const DataSettings& settings, bool wide,
                                         std::size_t threads, const RankGrid& grid) {
  const Node& node = grid.node();
  const NodeCores cores = NodeCores::find(node.ranks());
  agree(grid.world(), [&] { check_streams({settings.data, settings.test_data}, grid.domains()); });
  const LeaderTeam leaders(grid.world(), node);
  return leaders.run([&](const ReadingTeam& team) {
    const BorrowedCores borrowed(cores, threads_of_node(threads, cores, node));
    return read_parts(settings, wide, team);
  });
}

}  // namespace dnn
