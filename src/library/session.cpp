#include "dnn/library/session.hpp"

#include <fmt/format.h>

#include <cmath>
#include <limits>
#include <memory>
#include <optional>
#include <utility>

#include "dnn/comm/collective_error.hpp"
#include "dnn/core/error.hpp"
#include "dnn/library/fit_samples.hpp"
#include "dnn/library/given_samples.hpp"
#include "dnn/library/sample_store.hpp"
#include "dnn/library/scores.hpp"
#include "dnn/library/session_state.hpp"
#include "dnn/library/step_training.hpp"
#include "dnn/model/model_file.hpp"

namespace dnn {

namespace {

template <class T>
class SessionOf final : public Session {
 public:
  SessionOf(const Communicator& world, const LibrarySettings& settings, const dnn_train::Host& host)
      : world_(world), settings_(settings), host_(host) {
    make_store();
  }

  dnn_train::Fit fit(const dnn_train::Samples& samples, std::atomic<bool>& stop) override {
    const GivenSamples given(world_, samples);
    require_samples(given);
    Records records;
    pack(given, records);
    given.check_targets(world_, settings_.config.task);
    FittedModel fitted =
        fit_samples<T>(world_, settings_, host_, records, given.largest_class(), stop);
    use(std::move(fitted.model));
    return fitted.result;
  }

  void prepare(const dnn_train::Samples& samples) override {
    const GivenSamples given(world_, samples);
    require_samples(given);
    prepare_from(given);
  }

  dnn_train::Step step(const dnn_train::Samples& samples) override {
    const GivenSamples given(world_, samples);
    if (given.total() > 0) {
      if (store_ && !given.has_ids()) {
        throw AgreedError("the option store needs ids: they tell whether a sample is a new one");
      }
      if (has_model()) {
        check_usable(given);
      } else {
        prepare_from(given);
      }
    }
    if (!has_model()) {
      return {};
    }
    start_steps();
    const dnn_train::Step done = store_              ? step_with_store(given)
                                 : world_.size() > 1 ? step_with(given)
                                                     : steps_->run_alone(given);
    is_current_ = is_current_ && !done.counted;
    return done;
  }

  double recent_loss() override {
    return steps_ ? steps_->recent_loss() : std::numeric_limits<double>::quiet_NaN();
  }

  void set_learning_rate(double rate) override {
    agree(world_, [rate] {
      if (!(rate > 0) || !std::isfinite(rate)) {
        throw InputError(fmt::format("a learning rate of {}: it must be above 0", rate));
      }
    });
    learning_rate_ = rate;
    if (steps_) {
      steps_->set_learning_rate(rate);
    }
  }

  dnn_train::Evaluation evaluate(const dnn_train::Samples& samples) override {
    const GivenSamples given(world_, samples);
    require_model();
    require_samples(given);
    check_usable(given);
    return evaluate_samples<T>(world_, current(), given);
  }

  void predict(const dnn_train::Matrix& features,
               const std::function<void(std::size_t, std::size_t, double)>& answers) override {
    check_features(features);
    if (!has_model()) {
      throw InputError(no_model);
    }
    if (features.rows > 0 && features.columns != this->features()) {
      throw InputError(fmt::format("features: {} columns, but the network takes {}",
                                   features.columns, this->features()));
    }
    if (!scorer_) {
      scorer_.emplace(current());
    }
    scorer_->predict(features, answers);
  }

  std::size_t features() const override {
    return has_model() ? model_.description.widths.front() : 0;
  }
  std::size_t outputs() const override {
    return has_model() ? model_.description.widths.back() : 0;
  }

  void save(const std::string& path) override {
    require_model();
    agree(world_, [&] {
      if (world_.is_root()) {
        save_model(path, model_.description, current().parameters);
      }
    });
  }

  void load(const std::string& path) override {
    SavedModel model = agree(world_, [&] {
      if (!world_.is_root()) {
        return SavedModel{};
      }
      SavedModel read = load_model(path);
      if (read.description.precision != stored_as(settings_.config.precision)) {
        throw InputError(
            fmt::format("{}: the model has the precision {}, this trainer has {}; give "
                        "the option precision",
                        path, word_for(read.description.precision),
                        word_for(stored_as(settings_.config.precision))));
      }
      Dataset numbers;  // what a program gives
      numbers.origin = path;
      check_encodable(numbers, read.description.schema, "the model");
      return read;
    });
    use(broadcast_model(world_, std::move(model), path));
  }

  std::vector<std::byte> state() override {
    require_model();
    SessionState state;
    state.model = current();
    state.optimizer = settings_.config.optimizer;
    state.learning_rate = learning_rate_.value_or(0);
    if (steps_) {
      state.updates = steps_->updates();
      state.learning_rate = steps_->learning_rate();
      state.steps = steps_->checkpoint();
    }
    if (store_) {
      state.store = store_->contents();
    }
    return gather_state(world_, state);
  }

  void restore(const std::vector<std::byte>& bytes) override {
    SessionState state = scatter_state(world_, bytes, settings_);
    if (!state.steps) {
      use(std::move(state.model));
    } else {
      replace(std::move(state.model), [&] {
        steps_->set_learning_rate(state.learning_rate);
        steps_->restore(std::move(*state.steps), state.updates);
      });
    }
    learning_rate_.reset();
    if (state.learning_rate > 0) {
      learning_rate_ = state.learning_rate;
    }
    if (store_ && state.store) {
      store_->restore(world_, *state.store);
    }
  }

  std::string hash() override {
    if (!has_model()) {
      throw InputError(no_model);
    }
    return parameters_sha256(current().parameters);
  }

  void close() override { end_steps(); }

 private:
  static constexpr const char* no_model =
      "the trainer has no network yet; call fit, prepare, step or load first";

  [[nodiscard]] bool has_model() const { return !model_.description.widths.empty(); }

  void require_model() const {
    if (!has_model()) {
      throw AgreedError(no_model);
    }
  }

  static void require_samples(const GivenSamples& given) {
    if (given.total() == 0) {
      throw AgreedError("no rank gives any samples");
    }
  }

  /// Collective: a rank may have no memory for it.
  void pack(const GivenSamples& given, Records& to) const {
    agree(world_, [&] { given.pack(to); });
  }

  dnn_train::Step step_with(const GivenSamples& given) {
    pack(given, records_);
    return steps_->run(records_);
  }

  dnn_train::Step step_with_store(const GivenSamples& given) {
    const std::uint64_t update = steps_->updates() + 1;
    pack(given, records_);
    store_->add(world_, records_, update);
    return steps_->run(store_->draw(world_, settings_.drawn(), update));
  }

  void make_store() {
    if (settings_.store > 0) {
      store_.emplace(settings_.store, settings_.store_keeps, settings_.config.seed);
    }
  }

  void end_steps() {
    if (steps_) {
      steps_->close();
      steps_.reset();
    }
  }

  /// From now on the network is `model`; what step() has kept is forgotten.
  void use(SavedModel model) {
    end_steps();
    make_store();
    model_ = std::move(model);
    is_current_ = true;
    scorer_.reset();
  }

  void start_steps() {
    if (settings_.config.class_weights != ClassWeights::none) {
      throw AgreedError(
          "the option class-weights is for fit alone: the classes' frequencies are known there");
    }
    if (settings_.config.average_weights > 0) {
      throw AgreedError(
          "the option average-weights is for fit alone: its memory is counted in epochs; leave it "
          "out for step");
    }
    if (!steps_) {
      steps_ = std::make_unique<StepTraining<T>>(world_, settings_, model_);
      if (learning_rate_) {
        steps_->set_learning_rate(*learning_rate_);
      }
      is_current_ = false;
    }
  }

  /// The network with its present parameters.
  const SavedModel& current() {
    if (!is_current_ && steps_) {
      model_.parameters = steps_->parameters();
      is_current_ = true;
      scorer_.reset();
    }
    return model_;
  }

  void prepare_from(const GivenSamples& given) {
    given.check_targets(world_, settings_.config.task);
    pack(given, records_);
    replace({describe_for_steps(world_, settings_, records_, given.largest_class()), {}}, [] {});
  }

  /// Goes over to steps from `model`, of which `begin()` makes what it is to be; where that fails,
  /// everything is as it was.
  template <class Begin>
  void replace(SavedModel model, const Begin& begin) {
    std::swap(model_, model);
    std::unique_ptr<StepTraining<T>> before = std::exchange(steps_, nullptr);
    const bool was_current = is_current_;
    const auto go_back = [&] {
      steps_ = std::move(before);
      model_ = std::move(model);
      is_current_ = was_current;
    };
    try {
      start_steps();
      begin();
    } catch (const AgreedError&) {
      end_steps();
      go_back();
      throw;
    } catch (...) {  // perhaps on this rank alone
      go_back();
      throw;
    }
    if (before) {
      before->close();
    }
    make_store();
    scorer_.reset();
  }

  /// Throws AgreedError unless the network can learn from such samples.
  void check_usable(const GivenSamples& given) const {
    const RecordForm& form = given.form();
    const ModelDescription& d = model_.description;
    if (form.features != d.widths.front()) {
      throw AgreedError(fmt::format("the samples have {} features, but the network takes {}",
                                    form.features, d.widths.front()));
    }
    const bool has_rows = has_target_rows(d.task);
    if (form.has_class == has_rows || (has_rows && form.targets != d.widths.back())) {
      throw AgreedError(fmt::format(
          "the samples have {}, but the network learns {} {}",
          form.has_class ? std::string("classes") : fmt::format("{} targets", form.targets),
          d.widths.back(), word_for(d.task)));
    }
    if (given.largest_class() >= static_cast<std::int64_t>(d.widths.back())) {
      throw AgreedError(
          fmt::format("classes: a sample has class {}, but the network has {} (0 to "
                      "{}); give the option classes",
                      given.largest_class(), d.widths.back(), d.widths.back() - 1));
    }
    given.check_targets(world_, d.task);
  }

  const Communicator& world_;
  const LibrarySettings& settings_;
  const dnn_train::Host& host_;
  SavedModel model_;
  bool is_current_ = true;  ///< the model's parameters are those of the steps
  std::unique_ptr<StepTraining<T>> steps_;
  std::optional<SampleStore> store_;
  std::optional<double> learning_rate_;
  std::optional<Scorer<T>> scorer_;
  Records records_;  ///< of a call, kept for its memory
};

}  // namespace

std::unique_ptr<Session> make_session(const Communicator& world, const LibrarySettings& settings,
                                      const dnn_train::Host& host) {
  if (settings.config.precision == Precision::f64) {
    return std::make_unique<SessionOf<double>>(world, settings, host);
  }
  return std::make_unique<SessionOf<float>>(world, settings, host);
}

}  // namespace dnn
