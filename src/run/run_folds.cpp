#include "dnn/run/run_folds.hpp"

#include <fmt/format.h>

#include "dnn/comm/collective_error.hpp"
#include "dnn/run/fold_record.hpp"
#include "dnn/run/out_of_fold.hpp"

namespace dnn {

namespace {

/// Collective: the results that the run has written before, the same on all ranks.
std::optional<std::vector<FoldResult>> earlier_results(const FoldRun& run,
                                                       const Communicator& world) {
  const bool has_them =
      world.is_root() && run.resumes && read_fold_record(run.folder, run.config).has_value();
  if (world.all_reduce<std::int64_t>(has_them ? 1 : 0, Reduction::max) == 0) {
    return std::nullopt;
  }
  // Rank 0 alone tells and writes of them.
  return world.is_root() ? read_fold_record(run.folder, run.config) : std::vector<FoldResult>();
}

}  // namespace

template <class T>
std::vector<FoldResult> run_folds(const FoldRun& run, RankGrid& grid, Reporter& reporter) {
  const Communicator& world = grid.world();
  if (auto earlier = earlier_results(run, world)) {
    reporter.line(describe_spread(*earlier));
    return *std::move(earlier);
  }
  Config config = run.config;
  if (run.found) {
    config.epochs = run.found->most_epochs;  // each fold searches for its own length
  }
  const OutOfFold predictions =
      cross_validate<T>({config, run.found ? run.found->splits : 0, folds_go_side_by_side(config),
                         run.plan, run.data},
                        grid, [&](std::size_t fold, const FoldResult& result) {
                          reporter.line(describe_fold(fold, config.folds, result));
                        });
  write_out_of_fold(world, run.folder, run.data.train, predictions);
  agree(world, [&] {
    if (world.is_root()) {
      write_fold_record(run.folder, run.config, predictions.folds);
    }
  });
  reporter.line(describe_spread(predictions.folds));
  reporter.line(fmt::format("predictions out of fold: {}; now the model of all samples",
                            run.folder.out_of_fold()));
  return predictions.folds;
}

template std::vector<FoldResult> run_folds<float>(const FoldRun&, RankGrid&, Reporter&);
template std::vector<FoldResult> run_folds<double>(const FoldRun&, RankGrid&, Reporter&);

}  // namespace dnn
