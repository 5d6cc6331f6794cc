#pragma once

/// dnn_train as a library: trains a dense neural network within an MPI program.
///
///     #include <dnn/dnn_train.hpp>
///
///     dnn_train::Trainer trainer(MPI_COMM_WORLD, "hidden = [64, 32]\ntask = 'numbers'");
///     dnn_train::Samples mine;
///     mine.features = dnn_train::Matrix::row_major(x.data(), rows, 3);   // this rank's rows
///     mine.targets = dnn_train::Matrix::row_major(y.data(), rows, 1);
///     mine.ids = cell_numbers.data();                     // of the whole domain, each once
///     trainer.fit(mine);                                  // on the rows of all ranks
///     trainer.predict(mine.features, answers.data());     // on this rank alone
///     trainer.save("model.dnn");
///     trainer.close();
///
/// Note [The union of all ranks' rows]
/// A data set is what all ranks of the communicator give together, in the order of the samples'
/// ids. So the result depends on the samples, their ids and the options: it is the same, bit for
/// bit, whichever rank gives which samples, and at any number of ranks.
///
/// Note [A guest in the program]
/// The library works on a duplicate of the communicator that it is given. It never calls MPI_Init,
/// MPI_Finalize or MPI_Abort, installs no signal handler, and prints nothing. A call computes with
/// as many threads as fit the node's cores, or as OMP_NUM_THREADS or the option threads says, and
/// leaves OpenMP's number of them as it was. Several trainers may exist side by side, also on
/// communicators of some of the ranks.
///
/// Note [Errors]
/// Every error is an Error. A call that is collective throws it on all ranks, with the same code
/// and message, also where a single rank is the cause; none is left waiting. Only an Error of
/// Code::mpi (MPI itself failed) or Code::busy may come on some ranks alone. After an error the
/// trainer is as it was before the call, unless its description says something else.
///
/// C++17, and compiled by the compiler family that compiled the library; dnn_train.h is the
/// interface for everything else.

#include <mpi.h>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <stdexcept>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#if defined(__GNUC__)
#define DNN_TRAIN_API __attribute__((visibility("default")))
#define DNN_TRAIN_LOCAL __attribute__((visibility("hidden")))
#else
#define DNN_TRAIN_API
#define DNN_TRAIN_LOCAL
#endif

namespace dnn_train {

/// Changes where a program must be compiled anew for a library; the shared library's SONAME has it.
inline constexpr int abi_version = 0;

/// The library's version, as "0.1.0".
DNN_TRAIN_API const char* version() noexcept;

/// What kind of error it is; the numbers are those of dnn_train.h.
enum class Code : int {
  input = 1,     ///< what the caller gave cannot be used
  file = 2,      ///< a file cannot be read or written
  numbers = 3,   ///< the computation left the numbers that mean anything (NaN, infinity)
  memory = 4,    ///< not enough of it
  callback = 5,  ///< the host's callback threw
  mpi = 6,       ///< an MPI call failed
  busy = 7,      ///< another thread uses this trainer
  internal = 8   ///< a fault of the library
};

/// Every error of the library. what() says what is wrong, where, and what to do about it.
class DNN_TRAIN_API Error : public std::runtime_error {
 public:
  Error(Code code, const std::string& message) : std::runtime_error(message), code_(code) {}
  Code code() const noexcept { return code_; }

 private:
  Code code_;
};

/// A view of numbers that belong to the caller: element (i, j) is at
/// data + i * row_stride + j * column_stride, counted in elements.
///
///     Matrix::row_major(x.data(), rows, 3);                  // C and NumPy
///     Matrix::column_major(x.data(), rows, 3);               // Fortran
///     Matrix::strided(&cells[0].t, rows, 3, sizeof(Cell) / sizeof(double), 1);  // in a struct
struct Matrix {
  const void* data = nullptr;  ///< null: there is no such matrix
  bool is_double = false;      ///< double, else float
  std::size_t rows = 0;
  std::size_t columns = 0;
  std::ptrdiff_t row_stride = 0;
  std::ptrdiff_t column_stride = 1;

  template <class T>
  static Matrix strided(const T* data, std::size_t rows, std::size_t columns,
                        std::ptrdiff_t row_stride, std::ptrdiff_t column_stride) {
    static_assert(std::is_same<T, float>::value || std::is_same<T, double>::value,
                  "a matrix has elements of type float or double");
    return {data, std::is_same<T, double>::value, rows, columns, row_stride, column_stride};
  }
  template <class T>
  static Matrix row_major(const T* data, std::size_t rows, std::size_t columns) {
    return strided(data, rows, columns, static_cast<std::ptrdiff_t>(columns), 1);
  }
  template <class T>
  static Matrix column_major(const T* data, std::size_t rows, std::size_t columns) {
    return strided(data, rows, columns, 1, static_cast<std::ptrdiff_t>(rows));
  }
};

/// The samples that this rank gives; it may give none (features with 0 rows). All pointers belong
/// to the caller and are used during the call alone. Features, targets and weights are finite.
///
///     Samples mine;
///     mine.features = Matrix::row_major(pixels.data(), 1000, 784);
///     mine.classes = digits.data();                          // 1000 numbers from 0 to 9
struct Samples {
  Matrix features;  ///< n x M_0; the same M_0 and type on all ranks
  /// The class of each of the n samples, from 0; for the task classes.
  const std::int32_t* classes = nullptr;
  /// n x M_N: what each sample is to give, in its own unit; for the tasks numbers, labels (0 or 1)
  /// and distribution.
  Matrix targets;
  /// The global id of each of the n samples, no two alike on all ranks together; null: the samples
  /// are ordered by rank, so that the result depends on which rank gives which samples.
  const std::uint64_t* ids = nullptr;
  /// How much each of the n samples counts, 0 or more, in proportion to the mean over the fit's or
  /// the update's samples; null: all alike.
  const double* weights = nullptr;
};

/// What a fit has reached after an epoch. A NaN: there is no such figure.
struct Epoch {
  std::size_t epoch = 0;   ///< from 1
  std::size_t epochs = 0;  ///< at most
  double loss = 0;         ///< the mean over the epoch's updates
  double validation_loss = 0;
  double validation_accuracy = 0;
};

/// What the host program wants to hear of.
struct Host {
  /// Gets the lines that the programs print, on rank 0 of the communicator; must not throw.
  std::function<void(const std::string& line)> log;
  /// Called on every rank after each epoch of a fit. Where it returns false on any rank, the fit
  /// ends there. What it throws on any rank ends the fit with Code::callback on all of them.
  std::function<bool(const Epoch& epoch)> after_epoch;
};

/// What a fit came to.
struct Fit {
  std::size_t epochs = 0;      ///< that were trained
  std::size_t best_epoch = 0;  ///< whose parameters the trainer has now
  double loss = 0;             ///< of training, in the last epoch
  double validation_loss = 0;  ///< of the best epoch; NaN: nothing was held out
  bool stopped = false;        ///< because it was asked to
};

/// What an update did.
struct Step {
  std::uint64_t update = 0;   ///< its number, from 1
  std::uint64_t samples = 0;  ///< of all ranks that it was made from; 0: there were none
  /// Whether it changed the parameters: not where there were no samples, nor where the gradients
  /// were no numbers and the option on-nonfinite says to leave such updates out.
  bool counted = false;
};

/// The figures of a network on the samples of all ranks. They have the same bits whichever rank
/// gives which samples.
struct Evaluation {
  double loss = 0;      ///< the mean of the task's loss
  double accuracy = 0;  ///< the part of the classes that are right; NaN: the task has none
  std::uint64_t samples = 0;
  /// By name, as in the programs' summaries: "f1_macro", "auc", "r2", "rmse", "mae".
  std::vector<std::pair<std::string, double>> figures;
};

/// Trains one network on all ranks of a communicator.
///
/// Options are TOML text, one `key = value` a line: those of `dnn_train --help` under Network,
/// Training and Ranks (but model-parallel and split-hidden), and task, validation, normalize,
/// clip-features, on-nonfinite and verify-every, with the same defaults as there; there are no
/// checkpoints, so on-nonfinite = "rollback" leaves an update out at once. And those of the library
/// alone:
///
///     classes = 10                    # how many, where not all of them occur in the first samples
///     class-names = ["cat", "dog"]    # of the outputs, for saved models
///     feature-names = ["x", "y"]      # of the inputs, so too
///     store = 100000                  # samples that step() keeps to train on, see there
///     store-keeps = "sample"          # which ones: "sample" or "newest"
///
/// Everything but predict, request_stop and the small questions is collective over the
/// communicator: all ranks call the same functions in the same order. One thread at a time may use
/// a trainer (but see request_stop).
class DNN_TRAIN_API Trainer {
 public:
  /// Collective over `communicator`, an intracommunicator; its ranks give the same options.
  ///
  ///     Trainer trainer(MPI_COMM_WORLD, "hidden = [64, 32]");
  explicit Trainer(MPI_Comm communicator, const std::string& options = std::string(),
                   Host host = Host());
  /// Not collective: what close() has not given back goes with the end of the process.
  ~Trainer();
  Trainer(Trainer&& other) noexcept;
  Trainer& operator=(Trainer&& other) noexcept;
  Trainer(const Trainer&) = delete;
  Trainer& operator=(const Trainer&) = delete;

  /// Gives all memory and communicators back, before MPI_Finalize. Nothing but the destructor may
  /// be called then.
  ///
  ///     trainer.close();
  ///     MPI_Finalize();
  void close();

  /// Trains a new network on the samples of all ranks, as `dnn_train` does: with a part held out,
  /// for as long as it gets better, with defaults that follow from the data. On the same samples
  /// and options it gives the same model as the program. The trainer then has the best epoch's
  /// parameters. After an error it has the network that it had before.
  ///
  ///     const Fit fit = trainer.fit(mine);
  ///     if (rank == 0) printf("%zu epochs, loss %g\n", fit.epochs, fit.validation_loss);
  Fit fit(const Samples& samples);

  /// Makes the network for step() without an update: inputs and targets are scaled by the mean and
  /// deviation of these samples. A trainer that has no network when step() is called does so with
  /// the first samples it gets there.
  ///
  ///     trainer.prepare(some_of_last_night);
  void prepare(const Samples& samples);

  /// One update from the samples that the ranks give now, any number on each, also none. Their
  /// scaling stays as prepare() or the fit has found it. The learning rate is that of the option
  /// lr, the same for all updates, see set_learning_rate.
  ///
  /// With the option store, the samples, which need ids, go into a store first, which holds at most
  /// so many on all ranks together, and the update is made from batch-size samples drawn from it
  /// (256 where the option is not given). A sample whose id is in the store already takes its place
  /// there. store-keeps says which ones remain: of a `sample`, each of those ever given is as
  /// likely as every other; `newest` are those given last. Both, and what is drawn, follow from
  /// ids, seed and update, not from the ranks.
  ///
  ///     while (simulation.advances()) {
  ///       mine.features = Matrix::row_major(simulation.state(), cells, 3);
  ///       mine.targets = Matrix::row_major(simulation.rate(), cells, 1);
  ///       mine.ids = simulation.global_cell_numbers();
  ///       trainer.step(mine);
  ///     }
  Step step(const Samples& samples);

  /// The mean loss of the samples of all updates of step() since this was last called; NaN where
  /// there were none. It costs a message between all ranks, so ask now and then.
  ///
  ///     if (step % 100 == 0) log(trainer.recent_loss());
  double recent_loss();

  /// The learning rate of step() from now on, above 0.
  ///
  ///     trainer.set_learning_rate(0.001 / (1 + time));
  void set_learning_rate(double rate);

  /// How good the network is on the samples of all ranks.
  ///
  ///     const Evaluation now = trainer.evaluate(mine);
  ///     for (const auto& [name, value] : now.figures) log(name, value);
  Evaluation evaluate(const Samples& samples) const;

  /// What the network says of rows that this rank has; not collective. `answers`: rows x outputs(),
  /// row-major: for the task numbers in the targets' unit, else probabilities.
  ///
  ///     std::vector<float> answers(rows * trainer.outputs());
  ///     trainer.predict(Matrix::row_major(x.data(), rows, 3), answers.data());
  void predict(const Matrix& features, float* answers) const;
  void predict(const Matrix& features, double* answers) const;

  /// M_0 and M_N of the network; 0 where there is none yet.
  std::size_t features() const;
  std::size_t outputs() const;

  /// Writes the network to a file that the programs read (dnn_predict, dnn_model); rank 0 writes.
  ///
  ///     trainer.save("model.dnn");
  void save(const std::string& path) const;
  /// Takes the network of such a file, which rank 0 reads, of the precision that the options say;
  /// it must take plain numbers, no table with columns of text. step() continues from there.
  ///
  ///     trainer.load("runs/a/model.dnn");
  void load(const std::string& path);

  /// Everything that step() needs to continue: network, optimizer, learning rate, position, store,
  /// as bytes on rank 0 and nothing elsewhere, for the host's own restart file.
  ///
  ///     const std::vector<unsigned char> bytes = trainer.state();
  ///     if (rank == 0) restart_file.write("trainer", bytes.data(), bytes.size());
  std::vector<unsigned char> state() const;
  /// Continues from the bytes that rank 0 gives, at any number of ranks, with the same options.
  /// Throws Code::input for bytes that are no such state, or damaged.
  ///
  ///     trainer.restore(rank == 0 ? restart_file.read("trainer") : std::vector<unsigned char>());
  void restore(const std::vector<unsigned char>& state);

  /// SHA-256 of all parameters, 64 hexadecimal digits, as `dnn_model info` shows it. The same on
  /// all ranks.
  std::string hash() const;

  /// Not collective, and from any thread: asks a fit under way to end after the epoch or in the
  /// midst of it; its result is then of the epochs that are done. A request before the fit, or
  /// while it still searches for the length of training (on few samples), has no effect on that.
  ///
  ///     extern "C" void on_signal(int) { trainer->request_stop(); }
  void request_stop() noexcept;
  /// Whether this rank has asked, or another one has ended the last fit.
  bool stop_requested() const noexcept;

 private:
  class DNN_TRAIN_LOCAL Implementation;
  std::unique_ptr<Implementation> implementation_;
};

}  // namespace dnn_train
