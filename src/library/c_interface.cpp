#include "dnn/library/c_interface.hpp"

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <exception>
#include <map>
#include <memory>
#include <mutex>
#include <new>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "dnn/comm/communicator.hpp"
#include "dnn/dnn_train.hpp"

namespace {

using dnn_train::Code;
using dnn_train::Error;
using dnn_train::Matrix;
using dnn_train::Samples;
using dnn_train::Trainer;

static_assert(dnn_train::abi_version == DNN_TRAIN_ABI_VERSION);

/// A trainer with what C's calls keep between them.
struct Opened {
  std::unique_ptr<Trainer> trainer;
  Samples samples;
  dnn_train::Evaluation evaluation;
  std::vector<unsigned char> state;
  std::atomic<bool> in_use = false;  ///< by a call; these members have no lock
};

/// Note [Handles are numbers]
/// A handle that is used after dnn_train_close must be found out, so it is no address but a number
/// that is never given twice, and this table says whose it is.
struct Table {
  std::mutex mutex;
  std::uintptr_t last = 0;
  std::map<std::uintptr_t, std::shared_ptr<Opened>> opened;
};

Table& table() {
  static auto* const the_table = new Table;  // outlives whatever is called at exit
  return *the_table;
}

thread_local std::string last_error;
thread_local std::map<std::uintptr_t, std::string> errors;

std::uintptr_t number_of(dnn_train_t trainer) {
  return reinterpret_cast<std::uintptr_t>(trainer);
}

std::shared_ptr<Opened> find(dnn_train_t trainer) {
  Table& all = table();
  const std::lock_guard lock(all.mutex);
  const auto found = all.opened.find(number_of(trainer));
  if (found == all.opened.end()) {
    throw Error(Code::input, trainer == nullptr
                                 ? "the trainer is a null handle: dnn_train_open makes one"
                                 : "the trainer is closed already, or was never opened");
  }
  return found->second;
}

dnn_train_status note(dnn_train_t trainer, dnn_train_status status, const char* text) noexcept {
  try {
    last_error = text;
    if (trainer != nullptr) {
      errors[number_of(trainer)] = text;
    }
  } catch (const std::bad_alloc&) {
    last_error.clear();
  }
  return status;
}

/// Runs `work`; what it throws becomes a status.
template <class Work>
dnn_train_status guarded(dnn_train_t trainer, Work&& work) noexcept {
  try {
    std::forward<Work>(work)();
    return DNN_TRAIN_OK;
  } catch (const Error& error) {
    return note(trainer, static_cast<dnn_train_status>(error.code()), error.what());
  } catch (const std::bad_alloc&) {
    return note(trainer, DNN_TRAIN_MEMORY, "not enough memory");
  } catch (const std::exception& error) {
    return note(trainer, DNN_TRAIN_INTERNAL, error.what());
  } catch (...) {
    return note(trainer, DNN_TRAIN_INTERNAL, "an unknown exception");
  }
}

/// One thread at a time.
class InCall {
 public:
  explicit InCall(Opened& opened) : opened_(opened) {
    if (opened_.in_use.exchange(true)) {
      throw Error(Code::busy,
                  "another thread, or a callback, is in a call of this trainer; one at a time may "
                  "use it");
    }
  }
  InCall(const InCall&) = delete;
  InCall& operator=(const InCall&) = delete;
  ~InCall() { opened_.in_use.store(false); }

 private:
  Opened& opened_;
};

template <class Work>
dnn_train_status with(dnn_train_t trainer, Work&& work) noexcept {
  return guarded(trainer, [&] {
    const std::shared_ptr<Opened> opened = find(trainer);
    const InCall alone(*opened);
    std::forward<Work>(work)(*opened);
  });
}

/// The same for what any thread may call at any time.
template <class Work>
dnn_train_status from_any_thread(dnn_train_t trainer, Work&& work) noexcept {
  return guarded(trainer, [&] { std::forward<Work>(work)(*find(trainer)); });
}

void require(const void* pointer, const char* name) {
  if (pointer == nullptr) {
    throw Error(Code::input, std::string(name) + ": a null pointer");
  }
}

void require_type(int type, const char* name) {
  if (type != DNN_TRAIN_FLOAT && type != DNN_TRAIN_DOUBLE) {
    throw Error(Code::input, std::string(name) + ": the type is neither float nor double");
  }
}

Matrix matrix_of(const dnn_train_matrix* matrix, const char* name) {
  require(matrix, name);
  require_type(matrix->type, name);
  return {matrix->data,       matrix->type == DNN_TRAIN_DOUBLE,
          matrix->rows,       matrix->columns,
          matrix->row_stride, matrix->column_stride};
}

/// What put has given; used up by this. Without any, the rank gives no samples, so that the other
/// ranks are not left waiting.
Samples take(Opened& opened) {
  return std::exchange(opened.samples, {});
}

dnn_train::Host host_of(dnn_train_log log, dnn_train_after_epoch after_epoch, void* context) {
  dnn_train::Host host;
  if (log != nullptr) {
    host.log = [log, context](const std::string& line) { log(line.c_str(), context); };
  }
  if (after_epoch != nullptr) {
    host.after_epoch = [after_epoch, context](const dnn_train::Epoch& epoch) {
      const int answer =
          after_epoch(epoch.epoch, epoch.epochs, epoch.loss, epoch.validation_loss, context);
      if (answer < 0) {
        throw std::runtime_error("it returned " + std::to_string(answer));
      }
      return answer == 0;
    };
  }
  return host;
}

}  // namespace

extern "C" {

const char* dnn_train_version(void) {
  return dnn_train::version();
}

dnn_train_status dnn_train_open(MPI_Comm communicator, const char* options, dnn_train_t* trainer) {
  return dnn_train_open_with(communicator, options, nullptr, nullptr, nullptr, trainer);
}

dnn_train_status dnn_train_open_with(MPI_Comm communicator, const char* options, dnn_train_log log,
                                     dnn_train_after_epoch after_epoch, void* context,
                                     dnn_train_t* trainer) {
  return guarded(nullptr, [&] {
    require(trainer, "trainer");
    *trainer = nullptr;
    auto opened = std::make_shared<Opened>();
    opened->trainer = std::make_unique<Trainer>(communicator, options != nullptr ? options : "",
                                                host_of(log, after_epoch, context));
    Table& all = table();
    const std::lock_guard lock(all.mutex);
    all.opened[++all.last] = std::move(opened);
    *trainer = reinterpret_cast<dnn_train_t>(all.last);  // NOLINT(performance-no-int-to-ptr)
  });
}

dnn_train_status dnn_train_open_fortran(MPI_Fint communicator, const char* options,
                                        dnn_train_t* trainer) {
  MPI_Comm found = MPI_COMM_NULL;
  const dnn_train_status status =
      guarded(nullptr, [&] { found = dnn::communicator_of_fortran(communicator); });
  return status != DNN_TRAIN_OK ? status : dnn_train_open(found, options, trainer);
}

dnn_train_status dnn_train_put(dnn_train_t trainer, const dnn_train_matrix* features,
                               const int32_t* classes, const dnn_train_matrix* targets,
                               const uint64_t* ids, const double* weights) {
  return with(trainer, [&](Opened& opened) {
    Samples samples;
    samples.features = matrix_of(features, "features");
    samples.classes = classes;
    if (targets != nullptr) {
      samples.targets = matrix_of(targets, "targets");
    }
    samples.ids = ids;
    samples.weights = weights;
    opened.samples = samples;
  });
}

dnn_train_status dnn_train_fit(dnn_train_t trainer, dnn_train_fit_result* result) {
  return with(trainer, [&](Opened& opened) {
    const dnn_train::Fit fit = opened.trainer->fit(take(opened));
    if (result != nullptr) {
      *result = {fit.epochs, fit.best_epoch, fit.loss, fit.validation_loss, fit.stopped ? 1 : 0};
    }
  });
}

dnn_train_status dnn_train_prepare(dnn_train_t trainer) {
  return with(trainer, [](Opened& opened) { opened.trainer->prepare(take(opened)); });
}

dnn_train_status dnn_train_step(dnn_train_t trainer, dnn_train_step_result* result) {
  return with(trainer, [&](Opened& opened) {
    const dnn_train::Step step = opened.trainer->step(take(opened));
    if (result != nullptr) {
      *result = {step.update, step.samples, step.counted ? 1 : 0};
    }
  });
}

dnn_train_status dnn_train_evaluate(dnn_train_t trainer, double* loss, double* accuracy) {
  return with(trainer, [&](Opened& opened) {
    opened.evaluation = opened.trainer->evaluate(take(opened));
    if (loss != nullptr) {
      *loss = opened.evaluation.loss;
    }
    if (accuracy != nullptr) {
      *accuracy = opened.evaluation.accuracy;
    }
  });
}

dnn_train_status dnn_train_figure(dnn_train_t trainer, const char* name, double* value) {
  return with(trainer, [&](Opened& opened) {
    require(name, "name");
    require(value, "value");
    std::string known;
    for (const auto& [figure, number] : opened.evaluation.figures) {
      if (figure == name) {
        *value = number;
        return;
      }
      known += (known.empty() ? "" : ", ") + figure;
    }
    throw Error(Code::input, "the last evaluation has no figure '" + std::string(name) + "'" +
                                 (known.empty() ? "; there was none, or its task has no figures"
                                                : "; it has " + known));
  });
}

dnn_train_status dnn_train_recent_loss(dnn_train_t trainer, double* loss) {
  return with(trainer, [&](Opened& opened) {
    const double recent = opened.trainer->recent_loss();
    require(loss, "loss");
    *loss = recent;
  });
}

dnn_train_status dnn_train_set_learning_rate(dnn_train_t trainer, double rate) {
  return with(trainer, [rate](Opened& opened) { opened.trainer->set_learning_rate(rate); });
}

dnn_train_status dnn_train_predict(dnn_train_t trainer, const dnn_train_matrix* features, int type,
                                   void* answers) {
  return with(trainer, [&](Opened& opened) {
    const Matrix rows = matrix_of(features, "features");
    require_type(type, "answers");
    if (type == DNN_TRAIN_DOUBLE) {
      opened.trainer->predict(rows, static_cast<double*>(answers));
    } else {
      opened.trainer->predict(rows, static_cast<float*>(answers));
    }
  });
}

dnn_train_status dnn_train_shape(dnn_train_t trainer, size_t* features, size_t* outputs) {
  return with(trainer, [&](Opened& opened) {
    if (features != nullptr) {
      *features = opened.trainer->features();
    }
    if (outputs != nullptr) {
      *outputs = opened.trainer->outputs();
    }
  });
}

dnn_train_status dnn_train_save(dnn_train_t trainer, const char* path) {
  return with(trainer,
              [path](Opened& opened) { opened.trainer->save(path != nullptr ? path : ""); });
}

dnn_train_status dnn_train_load(dnn_train_t trainer, const char* path) {
  return with(trainer,
              [path](Opened& opened) { opened.trainer->load(path != nullptr ? path : ""); });
}

dnn_train_status dnn_train_state(dnn_train_t trainer, const void** bytes, size_t* size) {
  return with(trainer, [&](Opened& opened) {
    opened.state = opened.trainer->state();
    require(bytes, "bytes");
    require(size, "size");
    *bytes = opened.state.data();
    *size = opened.state.size();
  });
}

dnn_train_status dnn_train_restore(dnn_train_t trainer, const void* bytes, size_t size) {
  return with(trainer, [&](Opened& opened) {
    const auto* first = static_cast<const unsigned char*>(bytes);
    opened.trainer->restore(first == nullptr ? std::vector<unsigned char>()
                                             : std::vector<unsigned char>(first, first + size));
  });
}

dnn_train_status dnn_train_hash(dnn_train_t trainer, char hash[65]) {
  return with(trainer, [&](Opened& opened) {
    const std::string text = opened.trainer->hash();
    require(hash, "hash");
    std::copy_n(text.c_str(), text.size() + 1, hash);
  });
}

dnn_train_status dnn_train_request_stop(dnn_train_t trainer) {
  return from_any_thread(trainer, [](Opened& opened) { opened.trainer->request_stop(); });
}

dnn_train_status dnn_train_stop_requested(dnn_train_t trainer, int* requested) {
  return from_any_thread(trainer, [&](Opened& opened) {
    require(requested, "requested");
    *requested = opened.trainer->stop_requested() ? 1 : 0;
  });
}

const char* dnn_train_error(dnn_train_t trainer) {
  if (trainer != nullptr) {
    const auto found = errors.find(number_of(trainer));
    return found != errors.end() ? found->second.c_str() : "";
  }
  return last_error.c_str();
}

dnn_train_status dnn_train_close(dnn_train_t* trainer) {
  return guarded(trainer != nullptr ? *trainer : nullptr, [&] {
    require(trainer, "trainer");
    const std::shared_ptr<Opened> opened = find(*trainer);
    const InCall alone(*opened);
    opened->trainer->close();
    Table& all = table();
    const std::lock_guard lock(all.mutex);
    all.opened.erase(number_of(*trainer));
    errors.erase(number_of(*trainer));
    *trainer = nullptr;
  });
}

}  // extern "C"
