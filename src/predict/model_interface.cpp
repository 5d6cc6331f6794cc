#include "dnn/predict/model_interface.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <unordered_map>
#include <unordered_set>

#include "dnn/comm/collective_error.hpp"
#include "dnn/core/error.hpp"
#include "dnn/data/table_schema_json.hpp"
#include "dnn/parallel/ensemble_layout.hpp"

namespace dnn {

namespace {

using nlohmann::json;

json to_json(const ModelInterface& model) {
  return {{"features", model.features},
          {"feature_names", model.feature_names},
          {"index_base", model.index_base},
          {"task", static_cast<int>(model.task)},
          {"class_names", model.class_names},
          {"label_thresholds", model.label_thresholds},
          {"precision", static_cast<int>(model.precision)},
          {"schema", to_json(model.schema)}};
}

ModelInterface from_json(const json& text) {
  ModelInterface model;
  model.features = text["features"];
  model.feature_names = text["feature_names"].get<std::vector<std::string>>();
  model.index_base = text["index_base"];
  model.task = static_cast<Task>(text["task"].get<int>());
  model.class_names = text["class_names"].get<std::vector<std::string>>();
  model.label_thresholds = text["label_thresholds"].get<std::vector<double>>();
  model.precision = static_cast<Precision>(text["precision"].get<int>());
  model.schema = schema_from_json(text["schema"], "the ensemble");
  return model;
}

/// MessagePack, which unlike JSON takes names of any bytes.
std::string packed(const json& value) {
  const auto bytes = json::to_msgpack(value);
  return {bytes.begin(), bytes.end()};
}

/// A model beside the first one of its ensemble.
struct Pair {
  const std::string& path;
  const ModelInterface& model;
  const std::string& first_path;
  const ModelInterface& first;

  void check_features() const {
    if (model.features != first.features) {
      throw InputError(fmt::format(
          "an ensemble of models that take different data: {} takes {} features a sample, {} {}",
          path, model.features, first_path, first.features));
    }
  }

  /// Models of tables need the same encoding; one that was trained on an array has none.
  void check_schemas() const {
    const std::string column = first_difference(model.schema, first.schema);
    if (!column.empty()) {
      throw InputError(fmt::format(
          "an ensemble of models that take different data: {} and {} were trained on tables that "
          "differ in column {}",
          path, first_path, in_quotes(column)));
    }
  }

  void check_classes() const {
    if (model.task != first.task) {
      throw InputError(fmt::format(
          "an ensemble of models with different tasks: {} was trained with --task {}, {} with {}",
          path, word_for(model.task), first_path, word_for(first.task)));
    }
    if (model.class_names != first.class_names) {
      check_classes_of(path, model, first_path, first);
      check_classes_of(first_path, first, path, model);
    }
  }

 private:
  /// Whether each class of `a` is one of `b`.
  static void check_classes_of(const std::string& a_path, const ModelInterface& a,
                               const std::string& b_path, const ModelInterface& b) {
    const std::unordered_set<std::string> known(b.class_names.begin(), b.class_names.end());
    const auto stranger =
        std::find_if_not(a.class_names.begin(), a.class_names.end(),
                         [&known](const std::string& name) { return known.contains(name); });
    if (stranger != a.class_names.end()) {
      throw InputError(
          fmt::format("an ensemble of models with different {}: {} is a {} of {}, but not of {}",
                      a.task == Task::numbers  ? "targets"
                      : a.task == Task::labels ? "labels"
                                               : "classes",
                      in_quotes(*stranger),
                      a.task == Task::numbers  ? "target"
                      : a.task == Task::labels ? "label"
                                               : "class",
                      a_path, b_path));
    }
  }
};

/// `joined` takes over the feature names and the index base of `next`, or holds them already.
/// `from`: the files that `joined` has them from.
struct Sources {
  std::string feature_names;
  std::string index_base;
};
void take_over(ModelInterface& joined, Sources& from, const ModelInterface& next,
               const std::string& path) {
  if (joined.feature_names.empty()) {
    joined.feature_names = next.feature_names;
    from.feature_names = path;
  }
  for (std::size_t j = 0; j < next.feature_names.size(); ++j) {
    if (next.feature_names[j] != joined.feature_names[j]) {
      throw InputError(fmt::format(
          "an ensemble of models that take different data: feature {} is {} in {}, but {} in "
          "{}",
          j + 1, in_quotes(next.feature_names[j]), path, in_quotes(joined.feature_names[j]),
          from.feature_names));
    }
  }
  if (joined.index_base < 0) {
    joined.index_base = next.index_base;
    from.index_base = path;
  }
  if (next.index_base >= 0 && next.index_base != joined.index_base) {
    throw InputError(
        fmt::format("an ensemble of models that take different data: {} counts LIBSVM features "
                    "from {}, {} from {}",
                    path, next.index_base, from.index_base, joined.index_base));
  }
}

/// The mean threshold of each label of the first model, by name; a model without any has 1/2.
std::vector<double> mean_thresholds(const std::vector<ModelInterface>& parts) {
  const ModelInterface& first = parts.front();
  const auto has_some = [](const ModelInterface& part) { return !part.label_thresholds.empty(); };
  if (std::none_of(parts.begin(), parts.end(), has_some)) {
    return {};
  }
  std::unordered_map<std::string, double> sums;
  for (const ModelInterface& part : parts) {
    for (std::size_t k = 0; k < part.class_names.size(); ++k) {
      sums[part.class_names[k]] += has_some(part) ? part.label_thresholds[k] : 0.5;
    }
  }
  std::vector<double> means;
  for (const std::string& name : first.class_names) {
    means.push_back(sums[name] / static_cast<double>(parts.size()));
  }
  return means;
}

}  // namespace

ModelInterface ModelInterface::of(const ModelDescription& model) {
  return {model.widths.front(), model.feature_names,    model.index_base, model.task,
          model.class_names,    model.label_thresholds, model.precision,  model.schema};
}

ModelInterface ModelInterface::join(const std::vector<std::string>& paths,
                                    const std::vector<ModelInterface>& parts) {
  ModelInterface joined = parts.front();
  Sources from{paths.front(), paths.front()};
  for (std::size_t k = 1; k < parts.size(); ++k) {
    const Pair pair{paths[k], parts[k], paths.front(), parts.front()};
    pair.check_features();
    pair.check_schemas();
    pair.check_classes();
    take_over(joined, from, parts[k], paths[k]);
    if (parts[k].precision == Precision::f64) {
      joined.precision = Precision::f64;
    }
  }
  joined.label_thresholds = mean_thresholds(parts);
  return joined;
}

ModelInterface ModelInterface::join(const Communicator& world,
                                    const std::vector<std::string>& paths,
                                    std::span<const SavedModel> own) {
  // The ranks of the first data shard hold all models, in their order.
  const EnsembleLayout layout{static_cast<std::size_t>(world.size()), paths.size()};
  json mine = json::array();
  if (layout.shard_of(static_cast<std::size_t>(world.rank())) == 0) {
    for (const SavedModel& model : own) {
      mine.push_back(to_json(of(model.description)));
    }
  }
  const std::vector<std::string> gathered = world.gather(packed(mine), 0);
  const std::string joined = agree(world, [&] {
    std::vector<ModelInterface> parts;
    for (const std::string& text : gathered) {
      for (const json& model : json::from_msgpack(text)) {
        parts.push_back(from_json(model));
      }
    }
    return world.is_root() ? packed(to_json(join(paths, parts))) : std::string();
  });
  return from_json(json::from_msgpack(world.broadcast(joined, 0)));
}

std::vector<std::int32_t> ModelInterface::classes_in(const ModelDescription& model) const {
  std::vector<std::int32_t> classes;
  if (model.class_names == class_names) {
    return classes;
  }
  std::unordered_map<std::string, std::int32_t> index;
  for (const std::string& name : model.class_names) {
    index.emplace(name, static_cast<std::int32_t>(index.size()));
  }
  for (const std::string& name : class_names) {
    classes.push_back(index.at(name));
  }
  return classes;
}

}  // namespace dnn
