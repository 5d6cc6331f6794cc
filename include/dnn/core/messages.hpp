#pragma once

// What the programs say: on standard output, on standard error, and in the log of a run.

#include <functional>
#include <string>
#include <string_view>

namespace dnn {

/// Note [Messages within another program]
/// A library prints nothing: what its layers say belongs to the program that calls it. While a
/// MessageReceiver lives, it gets what the thread that made it says; what other threads say goes
/// nowhere from the first one on.
class MessageReceiver {
 public:
  /// `take` gets each message, made printable, without a line end at its end; may be empty; must
  /// not throw.
  explicit MessageReceiver(std::function<void(const std::string& text)> take);
  MessageReceiver(const MessageReceiver&) = delete;
  MessageReceiver& operator=(const MessageReceiver&) = delete;
  ~MessageReceiver();

  void take(const std::string& text) const;

 private:
  std::function<void(const std::string& text)> take_;
  MessageReceiver* before_;
};

/// Prints `text`, made printable, and a line end where it has none, on standard output, and adds it
/// to the log. Where nobody reads standard output any more (a pipe that is closed, a terminal that
/// is gone), it goes into the log alone, and the program continues.
void say(const std::string& text);
/// The errno value of the first write to standard output that say() gave up, or of what the file
/// system tells only when a file is closed (NFS, quotas); 0: all is written. A reader that is gone
/// is no failure: it has seen what it wanted.
[[nodiscard]] int output_failure();
/// The same as say() on standard error. "dnn_train: warning: ..."
void complain(const std::string& text);
/// The same for what ends the process: a file system that hangs keeps the line from the log, but
/// not the process from its end.
void complain_before_the_end(const std::string& text);
/// For signal handlers: writes on standard error, and into the log where that is open.
void write_from_handler(std::string_view lines);
/// Adds `text` to the log alone.
void note_in_log(const std::string& text);

/// From now on no closed pipe and no lost terminal ends this process (SIGPIPE, SIGHUP), and what
/// is said on a stream that the caller closed goes nowhere. To be called first in main.
void outlive_readers();

/// Where it is another process that prints what this one says (mpirun): tells whether that one
/// still has a reader. Otherwise mpirun ends the job after a few lines that it cannot print.
[[nodiscard]] bool output_has_reader();

/// Note [The log of a run]
/// Messages come from all layers and threads, and from processes that are about to end, so the log
/// is one of the few globals, as standard output and standard error are. Lines are appended with
/// one write(2) each, so several ranks may write into one file. A log that cannot be written is no
/// error: it must not end what it reports on.
///
/// From now on this process's log is the file at `path`. `creates`: the file is made, where there
/// is none, and what has been said so far is added; otherwise the next message opens it, if it is
/// there.
void use_log(const std::string& path, bool creates);

}  // namespace dnn
