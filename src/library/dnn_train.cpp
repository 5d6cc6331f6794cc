#include "dnn/dnn_train.hpp"

#include <atomic>
#include <exception>
#include <memory>
#include <new>
#include <utility>

#include "dnn/comm/collective_error.hpp"
#include "dnn/comm/communicator.hpp"
#include "dnn/comm/mpi_error.hpp"
#include "dnn/core/copy_bytes.hpp"
#include "dnn/core/error.hpp"
#include "dnn/core/messages.hpp"
#include "dnn/core/threads.hpp"
#include "dnn/library/library_settings.hpp"
#include "dnn/library/plain_arithmetic.hpp"
#include "dnn/library/session.hpp"
#include "dnn/plan/run_plan.hpp"

namespace dnn_train {

namespace {

Code code_of(dnn::Fault fault) {
  switch (fault) {
    case dnn::Fault::input:
      return Code::input;
    case dnn::Fault::file:
      return Code::file;
    case dnn::Fault::numbers:
      return Code::numbers;
    case dnn::Fault::memory:
      return Code::memory;
    case dnn::Fault::callback:
      return Code::callback;
    default:
      return Code::internal;
  }
}

/// Runs `work`; whatever it throws comes out as Error.
template <class Work>
auto with_errors(Work&& work) {
  try {
    return std::forward<Work>(work)();
  } catch (const Error&) {
    throw;
  } catch (const dnn::AgreedError& error) {
    throw Error(code_of(error.fault()), error.what());
  } catch (const dnn::MpiError& error) {
    throw Error(Code::mpi, error.what());
  } catch (const std::bad_alloc&) {
    throw Error(Code::memory, "not enough memory");
  } catch (const std::exception& error) {
    throw Error(code_of(dnn::fault_of(error)), error.what());
  }
}

/// The calling thread's number of threads, as it was.
class KeptThreads {
 public:
  KeptThreads() : before_(dnn::threads()) {}
  KeptThreads(const KeptThreads&) = delete;
  KeptThreads& operator=(const KeptThreads&) = delete;
  ~KeptThreads() { dnn::set_threads(before_); }

 private:
  int before_;
};

/// One thread at a time.
class InUse {
 public:
  explicit InUse(std::atomic<bool>& flag) : flag_(flag) {
    if (flag_.exchange(true)) {
      throw Error(Code::busy,
                  "another thread, or a callback, is in a call of this trainer; one at a time may "
                  "use it");
    }
  }
  InUse(const InUse&) = delete;
  InUse& operator=(const InUse&) = delete;
  ~InUse() { flag_.store(false); }

 private:
  std::atomic<bool>& flag_;
};

dnn::LibrarySettings parse_options(const dnn::Communicator& world, const std::string& options) {
  const std::string first = world.broadcast(options, 0);
  return dnn::agree(world, [&] {
    if (first != options) {
      throw dnn::InputError("the options are others than rank 0's; give the same on all ranks");
    }
    return dnn::LibrarySettings::parse(options);
  });
}

}  // namespace

const char* version() noexcept {
  return DNN_VERSION;
}

class Trainer::Implementation {
 public:
  Implementation(MPI_Comm communicator, const std::string& options, Host host)
      : host_(std::move(host)),
        world_(dnn::Communicator::duplicate_given(communicator)),
        settings_(parse_options(world_, options)),
        threads_(dnn::threads_of_rank(settings_.config, world_.split_by_node())),
        session_(dnn::make_session(world_, settings_, host_)) {}

  /// Calls `work(session)` as the library's functions are called.
  template <class Work>
  auto call(Work&& work) {
    const InUse use(in_use_);
    if (!session_) {
      throw Error(Code::input, "the trainer is closed");
    }
    const KeptThreads kept;
    dnn::set_threads(threads_);
    const dnn::PlainArithmetic arithmetic(threads_);
    const dnn::MessageReceiver messages(world_.is_root() ? host_.log : nullptr);
    return with_errors([&] { return std::forward<Work>(work)(*session_); });
  }

  void close() {
    call([](dnn::Session& session) { session.close(); });
    session_.reset();
    with_errors([&] { const dnn::Communicator ended = std::move(world_); });
  }

  std::atomic<bool>& stop() { return stop_; }

 private:
  Host host_;
  dnn::Communicator world_;
  dnn::LibrarySettings settings_;
  int threads_;
  std::unique_ptr<dnn::Session> session_;
  std::atomic<bool> in_use_ = false;
  std::atomic<bool> stop_ = false;
};

namespace {

template <class Implementation>
Implementation& of(const std::unique_ptr<Implementation>& implementation) {
  if (!implementation) {
    throw Error(Code::input, "the trainer was moved from");
  }
  return *implementation;
}

}  // namespace

Trainer::Trainer(MPI_Comm communicator, const std::string& options, Host host) {
  with_errors([&] {
    const KeptThreads threads;
    const dnn::PlainArithmetic arithmetic(1);
    const dnn::MessageReceiver messages(nullptr);
    implementation_ = std::make_unique<Implementation>(communicator, options, std::move(host));
  });
}

Trainer::~Trainer() = default;
Trainer::Trainer(Trainer&& other) noexcept = default;
Trainer& Trainer::operator=(Trainer&& other) noexcept = default;

void Trainer::close() {
  of(implementation_).close();
}

Fit Trainer::fit(const Samples& samples) {
  Implementation& implementation = of(implementation_);
  return implementation.call([&](dnn::Session& session) {
    implementation.stop().store(false);
    const Fit result = session.fit(samples, implementation.stop());
    implementation.stop().store(result.stopped);
    return result;
  });
}

void Trainer::prepare(const Samples& samples) {
  of(implementation_).call([&](dnn::Session& session) { session.prepare(samples); });
}

Step Trainer::step(const Samples& samples) {
  return of(implementation_).call([&](dnn::Session& session) { return session.step(samples); });
}

double Trainer::recent_loss() {
  return of(implementation_).call([](dnn::Session& session) { return session.recent_loss(); });
}

void Trainer::set_learning_rate(double rate) {
  of(implementation_).call([rate](dnn::Session& session) { session.set_learning_rate(rate); });
}

Evaluation Trainer::evaluate(const Samples& samples) const {
  return of(implementation_).call([&](dnn::Session& session) { return session.evaluate(samples); });
}

namespace {

template <class T, class Implementation>
void predict_into(Implementation& implementation, const Matrix& features, T* answers) {
  implementation.call([&](dnn::Session& session) {
    if (answers == nullptr && features.rows > 0) {
      throw dnn::InputError("answers: a null pointer");
    }
    const std::size_t outputs = session.outputs();
    session.predict(features,
                    [answers, outputs](std::size_t row, std::size_t column, double value) {
                      answers[row * outputs + column] = static_cast<T>(value);
                    });
  });
}

}  // namespace

void Trainer::predict(const Matrix& features, float* answers) const {
  predict_into(of(implementation_), features, answers);
}

void Trainer::predict(const Matrix& features, double* answers) const {
  predict_into(of(implementation_), features, answers);
}

std::size_t Trainer::features() const {
  return of(implementation_).call([](dnn::Session& session) { return session.features(); });
}

std::size_t Trainer::outputs() const {
  return of(implementation_).call([](dnn::Session& session) { return session.outputs(); });
}

void Trainer::save(const std::string& path) const {
  of(implementation_).call([&](dnn::Session& session) { session.save(path); });
}

void Trainer::load(const std::string& path) {
  of(implementation_).call([&](dnn::Session& session) { session.load(path); });
}

std::vector<unsigned char> Trainer::state() const {
  return of(implementation_).call([](dnn::Session& session) {
    const std::vector<std::byte> bytes = session.state();
    std::vector<unsigned char> copy(bytes.size());
    dnn::copy_bytes(copy.data(), bytes.data(), bytes.size());
    return copy;
  });
}

void Trainer::restore(const std::vector<unsigned char>& state) {
  of(implementation_).call([&](dnn::Session& session) {
    std::vector<std::byte> bytes(state.size());
    dnn::copy_bytes(bytes.data(), state.data(), state.size());
    session.restore(bytes);
  });
}

std::string Trainer::hash() const {
  return of(implementation_).call([](dnn::Session& session) { return session.hash(); });
}

void Trainer::request_stop() noexcept {
  if (implementation_) {
    implementation_->stop().store(true);
  }
}

bool Trainer::stop_requested() const noexcept {
  return implementation_ && implementation_->stop().load();
}

}  // namespace dnn_train
