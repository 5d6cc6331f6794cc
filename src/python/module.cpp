// dnn_train._core, the compiled part of the Python package: a thin layer over dnn_train::Trainer.

#include <pybind11/functional.h>
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "dnn/dnn_train.hpp"

namespace {

namespace py = pybind11;
using dnn_train::Code;
using dnn_train::Error;
using dnn_train::Matrix;
using dnn_train::Samples;
using dnn_train::Trainer;

/// Note [What Python raises during a call]
/// No exception of Python's can pass through the library, whose ranks end a call together. What a
/// signal's handler raises, and what is no Exception in a callback (KeyboardInterrupt, SystemExit),
/// waits in the call: a fit ends after the epoch with Code::callback on all ranks, and this rank
/// then raises what waits instead.

/// A call of the library's under way in this thread, in which a callback may make another one.
/// Python is locked wherever this is used, except in end_fit.
class Call {
 public:
  Call() : outer_(std::exchange(current_, this)) {}
  Call(const Call&) = delete;
  Call& operator=(const Call&) = delete;
  ~Call() { current_ = outer_; }

  static Call& current() { return *current_; }

  /// Whether a callback's exception is one that waits.
  bool takes(const py::error_already_set& error) {
    if (error.matches(PyExc_Exception)) {
      return false;
    }
    keep(error);
    return true;
  }

  /// Runs the handlers of the signals that have come, in Python's main thread.
  void handle_signals() {
    if (PyErr_CheckSignals() != 0) {
      keep(py::error_already_set());
    }
  }

  /// Throws where something waits.
  void end_fit() const {
    if (waiting_) {
      throw std::runtime_error(text_);
    }
  }

  void raise() const {
    if (waiting_) {
      throw py::error_already_set(*waiting_);
    }
  }

  /// The same after an error of the library's. But the ranks still speak about one of input or
  /// file, see _Ranks in __init__.py: that must come out on all of them.
  void raise_instead_of(const Error& error) {
    if (error.code() != Code::input && error.code() != Code::file) {
      raise();
    } else if (waiting_) {
      waiting_->discard_as_unraisable("dnn_train");
    }
  }

 private:
  void keep(const py::error_already_set& error) {
    if (!waiting_) {
      text_ = error.what();
      waiting_.emplace(error);
    }
  }

  static thread_local Call* current_;
  Call* outer_;
  std::optional<py::error_already_set> waiting_;
  std::string text_;
};

thread_local Call* Call::current_ = nullptr;

/// Runs `work` without Python's lock, so that other threads, and callbacks, can have it.
template <class Work>
auto unlocked(Work&& work) {
  Call call;
  const auto run = [&work] {
    const py::gil_scoped_release released;
    return std::forward<Work>(work)();
  };
  try {
    if constexpr (std::is_void_v<decltype(run())>) {
      run();
      call.raise();
    } else {
      auto result = run();
      call.raise();
      return result;
    }
  } catch (const Error& error) {
    call.raise_instead_of(error);
    throw;
  }
}

Error refusal(const char* name, const std::string& message) {
  return {Code::input, std::string(name) + ": " + message};
}

/// The memory of a NumPy array. By Python's buffers, which every version of NumPy has alike.
py::buffer_info memory_of(const py::buffer& array, const char* name, py::ssize_t dimensions,
                          bool writable = false) {
  py::buffer_info memory = array.request(writable);
  if (memory.ndim != dimensions) {
    throw refusal(name, std::string("an array of ") +
                            (dimensions == 1 ? "one dimension" : "two dimensions") + " is needed");
  }
  return memory;
}

/// A view of an array of two dimensions, float32 or float64, with any strides.
Matrix matrix_of(const py::buffer_info& memory, const char* name) {
  const bool is_double = memory.format == "d";
  const auto bytes = memory.itemsize;
  if ((!is_double && memory.format != "f") || memory.strides[0] % bytes != 0 ||
      memory.strides[1] % bytes != 0) {
    throw refusal(name, "an array of float32 or float64 is needed");
  }
  return {memory.ptr,
          is_double,
          static_cast<std::size_t>(memory.shape[0]),
          static_cast<std::size_t>(memory.shape[1]),
          static_cast<std::ptrdiff_t>(memory.strides[0] / bytes),
          static_cast<std::ptrdiff_t>(memory.strides[1] / bytes)};
}

using Vector = std::optional<py::buffer>;

/// A contiguous array of one dimension, of a type that Python calls one of `formats`.
template <class T>
const T* pointer_to(const std::optional<py::buffer_info>& memory, const std::string& formats,
                    std::size_t rows, const char* name) {
  if (!memory) {
    return nullptr;
  }
  if (static_cast<std::size_t>(memory->shape[0]) != rows) {
    throw refusal(name, "one for each row of the features is needed");
  }
  if (memory->itemsize != sizeof(T) || formats.find(memory->format) == std::string::npos ||
      (rows > 1 && memory->strides[0] != sizeof(T))) {
    throw refusal(name, "an array of another type is needed");
  }
  static const T nothing{};
  return rows > 0 ? static_cast<const T*>(memory->ptr) : &nothing;  // no rows have all of that
}

/// Samples as they are given, and what keeps their memory where it is.
class Given {
 public:
  /// Samples that the library refuses on all ranks.
  Given() { samples_.features = Matrix::row_major(static_cast<const float*>(nullptr), 1, 1); }

  Given(const py::buffer& features, const Vector& classes, const Vector& targets, const Vector& ids,
        const Vector& weights)
      : features_(memory_of(features, "features", 2)) {
    const auto rows = static_cast<std::size_t>(features_.shape[0]);
    samples_.features = matrix_of(features_, "features");
    if (targets) {
      targets_ = memory_of(*targets, "targets", 2);
      samples_.targets = matrix_of(*targets_, "targets");
    }
    samples_.classes = vector<std::int32_t>(classes, classes_, "i", rows, "classes");
    samples_.ids = vector<std::uint64_t>(ids, ids_, "LQ", rows, "ids");
    samples_.weights = vector<double>(weights, weights_, "d", rows, "weights");
  }

  [[nodiscard]] const Samples& samples() const { return samples_; }

 private:
  template <class T>
  static const T* vector(const Vector& array, std::optional<py::buffer_info>& memory,
                         const char* formats, std::size_t rows, const char* name) {
    if (array) {
      memory = memory_of(*array, name, 1);
    }
    return pointer_to<T>(memory, formats, rows, name);
  }

  py::buffer_info features_;
  std::optional<py::buffer_info> classes_, targets_, ids_, weights_;
  Samples samples_;
};

/// Calls `member` of the trainer with what Python gives.
template <class Result>
auto with_samples(Result (Trainer::*member)(const Samples&)) {
  return [member](Trainer& self, const Given& given) {
    return unlocked([&] { return (self.*member)(given.samples()); });
  };
}

/// MPI, for a program that has no mpi4py: started at the first trainer, ended at the interpreter's
/// exit.
void start_mpi() {
  int started = 0;
  MPI_Initialized(&started);
  if (started != 0) {
    return;
  }
  int provided = 0;
  if (MPI_Init_thread(nullptr, nullptr, MPI_THREAD_SERIALIZED, &provided) != MPI_SUCCESS) {
    throw std::runtime_error("MPI cannot be started");
  }
  py::module_::import("atexit").attr("register")(py::cpp_function([] {
    int ended = 0;
    MPI_Finalized(&ended);
    if (ended == 0) {
      MPI_Finalize();
    }
  }));
}

/// `communicator`: Fortran's handle, as mpi4py's py2f() gives it; none: this process alone.
MPI_Comm communicator_of(const std::optional<int>& communicator) {
  start_mpi();
  return communicator ? MPI_Comm_f2c(*communicator) : MPI_COMM_SELF;
}

using Log = std::function<void(std::string)>;
using AfterEpoch = std::function<py::object(std::size_t, std::size_t, double, double, double)>;

std::function<void(const std::string&)> log_of(const Log& call) {
  return [call](const std::string& line) {
    const py::gil_scoped_acquire locked;
    Call::current().handle_signals();
    try {
      call(line);
    } catch (py::error_already_set& error) {
      if (!Call::current().takes(error)) {
        error.discard_as_unraisable("dnn_train: log");
      }
    }
  };
}

bool tell(const AfterEpoch& call, const dnn_train::Epoch& epoch) {
  const py::gil_scoped_acquire locked;
  try {
    const py::object answer = call(epoch.epoch, epoch.epochs, epoch.loss, epoch.validation_loss,
                                   epoch.validation_accuracy);
    return answer.is_none() || py::cast<bool>(answer);
  } catch (const py::error_already_set& error) {
    (void)Call::current().takes(error);
    throw std::runtime_error(error.what());  // its text, while Python is locked
  }
}

/// Looks at signals after epochs, now and then, since Python's lock may be long in coming, and
/// calls the program where it wants that.
class AfterEpochs {
 public:
  explicit AfterEpochs(const std::optional<AfterEpoch>& call) : call_(call) {}

  bool operator()(const dnn_train::Epoch& epoch) {
    constexpr std::chrono::milliseconds between(100);
    const auto now = std::chrono::steady_clock::now();
    if (now >= last_look_ + between) {
      const py::gil_scoped_acquire locked;
      Call::current().handle_signals();
      last_look_ = now;
    }
    Call::current().end_fit();
    return !call_ || tell(*call_, epoch);
  }

 private:
  std::optional<AfterEpoch> call_;
  std::chrono::steady_clock::time_point last_look_;
};

dnn_train::Host host_of(const std::optional<Log>& log,
                        const std::optional<AfterEpoch>& after_epoch) {
  dnn_train::Host host;
  if (log) {
    host.log = log_of(*log);
  }
  host.after_epoch = AfterEpochs(after_epoch);
  return host;
}

}  // namespace

PYBIND11_MODULE(_core, module) {
  module.doc() = "The compiled part of dnn_train.";
  module.def("version", &dnn_train::version);

  // The attribute code has the number of dnn_train::Code.
  // Never destroyed: the interpreter is gone by then.
  static const auto& error_type =
      *new py::object(py::exception<Error>(module, "Error", PyExc_RuntimeError));
  py::register_exception_translator([](std::exception_ptr pointer) {
    try {
      if (pointer) {
        std::rethrow_exception(pointer);
      }
    } catch (const Error& error) {
      py::object raised = error_type(error.what());
      raised.attr("code") = static_cast<int>(error.code());
      PyErr_SetObject(error_type.ptr(), raised.ptr());
    }
  });

  py::class_<dnn_train::Fit>(module, "Fit", "What a fit came to.")
      .def_readonly("epochs", &dnn_train::Fit::epochs)
      .def_readonly("best_epoch", &dnn_train::Fit::best_epoch)
      .def_readonly("loss", &dnn_train::Fit::loss)
      .def_readonly("validation_loss", &dnn_train::Fit::validation_loss)
      .def_readonly("stopped", &dnn_train::Fit::stopped);
  py::class_<dnn_train::Step>(module, "Step", "What an update did.")
      .def_readonly("update", &dnn_train::Step::update)
      .def_readonly("samples", &dnn_train::Step::samples)
      .def_readonly("counted", &dnn_train::Step::counted);

  py::class_<Given>(module, "Samples",
                    "The samples of this rank; without arguments, such as are refused.")
      .def(py::init<>())
      .def(
          py::init<const py::buffer&, const Vector&, const Vector&, const Vector&, const Vector&>(),
          py::arg("features"), py::arg("classes"), py::arg("targets"), py::arg("ids"),
          py::arg("weights"));
  py::class_<Trainer>(module, "Trainer")
      .def(
          py::init([](const std::optional<int>& communicator, const std::string& options,
                      const std::optional<Log>& log, const std::optional<AfterEpoch>& after_epoch) {
            const MPI_Comm ranks = communicator_of(communicator);
            dnn_train::Host host = host_of(log, after_epoch);
            return unlocked(
                [&] { return std::make_unique<Trainer>(ranks, options, std::move(host)); });
          }),
          py::arg("communicator"), py::arg("options"), py::arg("log"), py::arg("after_epoch"))
      .def("close", [](Trainer& self) { unlocked([&] { self.close(); }); })
      .def("fit", with_samples(&Trainer::fit))
      .def("prepare", with_samples(&Trainer::prepare))
      .def("step", with_samples(&Trainer::step))
      .def("evaluate",
           [](const Trainer& self, const Given& given) {
             const dnn_train::Evaluation found =
                 unlocked([&] { return self.evaluate(given.samples()); });
             py::dict figures;
             figures["loss"] = found.loss;
             if (found.accuracy == found.accuracy) {
               figures["accuracy"] = found.accuracy;
             }
             for (const auto& [name, value] : found.figures) {
               figures[py::str(name)] = value;
             }
             figures["samples"] = found.samples;
             return figures;
           })
      .def("recent_loss",
           [](Trainer& self) { return unlocked([&] { return self.recent_loss(); }); })
      .def("set_learning_rate",
           [](Trainer& self, double rate) { unlocked([&] { self.set_learning_rate(rate); }); })
      .def("predict",
           [](const Trainer& self, const py::buffer& x, const py::buffer& answers) {
             const py::buffer_info rows = memory_of(x, "features", 2);
             const py::buffer_info to = memory_of(answers, "answers", 2, true);
             const Matrix features_of_rows = matrix_of(rows, "features");
             if (static_cast<std::size_t>(to.size) != features_of_rows.rows * self.outputs() ||
                 to.format != rows.format) {
               throw refusal("answers", "rows x outputs of the features' type are needed");
             }
             unlocked([&] {
               if (features_of_rows.is_double) {
                 self.predict(features_of_rows, static_cast<double*>(to.ptr));
               } else {
                 self.predict(features_of_rows, static_cast<float*>(to.ptr));
               }
             });
           })
      .def_property_readonly("features", &Trainer::features)
      .def_property_readonly("outputs", &Trainer::outputs)
      .def("save",
           [](const Trainer& self, const std::string& path) { unlocked([&] { self.save(path); }); })
      .def("load",
           [](Trainer& self, const std::string& path) { unlocked([&] { self.load(path); }); })
      .def("state",
           [](const Trainer& self) {
             const auto state = unlocked([&] { return self.state(); });
             return py::bytes(reinterpret_cast<const char*>(state.data()), state.size());
           })
      .def("restore",
           [](Trainer& self, const std::string& state) {
             const std::vector<unsigned char> bytes(state.begin(), state.end());
             unlocked([&] { self.restore(bytes); });
           })
      .def("hash", [](const Trainer& self) { return unlocked([&] { return self.hash(); }); })
      .def("request_stop", &Trainer::request_stop)
      .def("stop_requested", &Trainer::stop_requested);
}
