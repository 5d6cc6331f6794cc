#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "dnn/comm/communicator.hpp"
#include "dnn/dnn_train.hpp"
#include "dnn/library/library_settings.hpp"

namespace dnn {

/// What a Trainer of a given precision does; see dnn_train::Trainer, whose calls these are.
/// Everything but predict and the small questions is collective over the communicator and throws
/// AgreedError.
class Session {
 public:
  virtual ~Session() = default;

  virtual dnn_train::Fit fit(const dnn_train::Samples& samples, std::atomic<bool>& stop) = 0;
  virtual void prepare(const dnn_train::Samples& samples) = 0;
  virtual dnn_train::Step step(const dnn_train::Samples& samples) = 0;
  virtual double recent_loss() = 0;
  virtual void set_learning_rate(double rate) = 0;
  virtual dnn_train::Evaluation evaluate(const dnn_train::Samples& samples) = 0;
  /// `answers(row, column, value)` takes each answer.
  virtual void predict(const dnn_train::Matrix& features,
                       const std::function<void(std::size_t, std::size_t, double)>& answers) = 0;
  [[nodiscard]] virtual std::size_t features() const = 0;
  [[nodiscard]] virtual std::size_t outputs() const = 0;
  virtual void save(const std::string& path) = 0;
  virtual void load(const std::string& path) = 0;
  [[nodiscard]] virtual std::vector<std::byte> state() = 0;
  virtual void restore(const std::vector<std::byte>& state) = 0;
  [[nodiscard]] virtual std::string hash() = 0;
  /// Gives shared memory back.
  virtual void close() = 0;
};

/// Collective over `world`: the session that `settings` ask for. All references must outlive it.
[[nodiscard]] std::unique_ptr<Session> make_session(const Communicator& world,
                                                    const LibrarySettings& settings,
                                                    const dnn_train::Host& host);

}  // namespace dnn
