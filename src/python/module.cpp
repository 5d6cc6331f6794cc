// dnn_train._core: what the Python package is made of, a coat around dnn_train::Trainer.

#include <pybind11/functional.h>
#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "dnn/dnn_train.hpp"

namespace {

namespace py = pybind11;
using dnn_train::Matrix;
using dnn_train::Samples;
using dnn_train::Trainer;

/// Runs `work` without Python's lock, so that other threads, and callbacks, can have it.
template <class Work>
auto unlocked(Work&& work) {
  const py::gil_scoped_release released;
  return std::forward<Work>(work)();
}

/// A view of an array of two dimensions, float32 or float64, with any strides.
Matrix matrix_of(const py::array& array, const char* name) {
  const bool is_double = py::isinstance<py::array_t<double>>(array);
  const auto bytes = array.itemsize();
  if (array.ndim() != 2 || (!is_double && !py::isinstance<py::array_t<float>>(array)) ||
      array.strides(0) % bytes != 0 || array.strides(1) % bytes != 0) {
    throw py::value_error(std::string(name) + ": an array of two dimensions of float32 or float64");
  }
  return {array.data(),
          is_double,
          static_cast<std::size_t>(array.shape(0)),
          static_cast<std::size_t>(array.shape(1)),
          static_cast<std::ptrdiff_t>(array.strides(0) / bytes),
          static_cast<std::ptrdiff_t>(array.strides(1) / bytes)};
}

template <class T>
using Vector = std::optional<py::array_t<T, py::array::c_style | py::array::forcecast>>;

template <class T>
const T* pointer_to(const Vector<T>& vector, std::size_t rows, const char* name) {
  if (!vector) {
    return nullptr;
  }
  if (vector->ndim() != 1 || static_cast<std::size_t>(vector->shape(0)) != rows) {
    throw py::value_error(std::string(name) + ": one for each row of the features");
  }
  static const T nothing{};
  return rows > 0 ? vector->data() : &nothing;  // no rows are rows with all of that
}

/// Samples as they are given; the arrays outlive them.
struct Given {
  py::array features;
  Vector<std::int32_t> classes;
  std::optional<py::array> targets;
  Vector<std::uint64_t> ids;
  Vector<double> weights;

  [[nodiscard]] Samples samples() const {
    Samples all;
    all.features = matrix_of(features, "features");
    const std::size_t rows = all.features.rows;
    all.classes = pointer_to(classes, rows, "classes");
    if (targets) {
      all.targets = matrix_of(*targets, "targets");
    }
    all.ids = pointer_to(ids, rows, "ids");
    all.weights = pointer_to(weights, rows, "weights");
    return all;
  }
};

/// Calls `member` of the trainer with what Python gives.
template <class Result>
auto with_samples(Result (Trainer::*member)(const Samples&)) {
  return [member](Trainer& self, const py::array& features, const Vector<std::int32_t>& classes,
                  const std::optional<py::array>& targets, const Vector<std::uint64_t>& ids,
                  const Vector<double>& weights) {
    const Given given{features, classes, targets, ids, weights};
    const Samples samples = given.samples();
    return unlocked([&] { return (self.*member)(samples); });
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

using AfterEpoch = std::function<py::object(std::size_t, std::size_t, double, double, double)>;

dnn_train::Host host_of(const std::optional<std::function<void(std::string)>>& log,
                        const std::optional<AfterEpoch>& after_epoch) {
  dnn_train::Host host;
  if (log) {
    host.log = [call = *log](const std::string& line) {
      const py::gil_scoped_acquire locked;
      try {
        call(line);
      } catch (py::error_already_set& error) {
        error.discard_as_unraisable("dnn_train: log");
      }
    };
  }
  if (after_epoch) {
    host.after_epoch = [call = *after_epoch](const dnn_train::Epoch& epoch) {
      const py::gil_scoped_acquire locked;
      try {
        const py::object answer = call(epoch.epoch, epoch.epochs, epoch.loss,
                                       epoch.validation_loss, epoch.validation_accuracy);
        return answer.is_none() || py::cast<bool>(answer);
      } catch (const py::error_already_set& error) {
        throw std::runtime_error(error.what());  // its text, while Python is locked
      }
    };
  }
  return host;
}

template <class T>
py::array answers_of(const Trainer& self, const Matrix& features) {
  py::array_t<T> answers({features.rows, self.outputs()});
  T* const data = answers.mutable_data();
  unlocked([&] { self.predict(features, data); });
  return answers;
}

}  // namespace

PYBIND11_MODULE(_core, module) {
  module.doc() = "The compiled part of dnn_train.";
  module.def("version", &dnn_train::version);

  // The attribute code has the number of dnn_train::Code.
  static const py::object error_type = [&module] {
    py::object made =
        py::exception<dnn_train::Error>(module, "Error", PyExc_RuntimeError);
    return made;
  }();
  py::register_exception_translator([](std::exception_ptr pointer) {
    try {
      if (pointer) {
        std::rethrow_exception(pointer);
      }
    } catch (const dnn_train::Error& error) {
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

  const auto features = py::arg("features");
  const auto classes = py::arg("classes") = py::none();
  const auto targets = py::arg("targets") = py::none();
  const auto ids = py::arg("ids") = py::none();
  const auto weights = py::arg("weights") = py::none();
  py::class_<Trainer>(module, "Trainer")
      .def(py::init([](const std::optional<int>& communicator, const std::string& options,
                       const std::optional<std::function<void(std::string)>>& log,
                       const std::optional<AfterEpoch>& after_epoch) {
             return Trainer(communicator_of(communicator), options, host_of(log, after_epoch));
           }),
           py::arg("communicator"), py::arg("options"), py::arg("log"), py::arg("after_epoch"))
      .def("close", [](Trainer& self) { unlocked([&] { self.close(); }); })
      .def("fit", with_samples(&Trainer::fit), features, classes, targets, ids, weights)
      .def("prepare", with_samples(&Trainer::prepare), features, classes, targets, ids, weights)
      .def("step", with_samples(&Trainer::step), features, classes, targets, ids, weights)
      .def(
          "evaluate",
          [](const Trainer& self, const py::array& x, const Vector<std::int32_t>& labels,
             const std::optional<py::array>& y, const Vector<std::uint64_t>& numbers,
             const Vector<double>& counts) {
            const Given given{x, labels, y, numbers, counts};
            const Samples samples = given.samples();
            const dnn_train::Evaluation found = unlocked([&] { return self.evaluate(samples); });
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
          },
          features, classes, targets, ids, weights)
      .def("recent_loss", [](Trainer& self) { return unlocked([&] { return self.recent_loss(); }); })
      .def("set_learning_rate",
           [](Trainer& self, double rate) { unlocked([&] { self.set_learning_rate(rate); }); })
      .def("predict",
           [](const Trainer& self, const py::array& x) {
             const Matrix rows = matrix_of(x, "features");
             return rows.is_double ? answers_of<double>(self, rows) : answers_of<float>(self, rows);
           })
      .def_property_readonly("features", &Trainer::features)
      .def_property_readonly("outputs", &Trainer::outputs)
      .def("save", [](const Trainer& self,
                      const std::string& path) { unlocked([&] { self.save(path); }); })
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
