#include "dnn/data/mapped_regions.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <csignal>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <mutex>

#include "dnn/core/messages.hpp"
#include "dnn/core/printable.hpp"

namespace dnn {

namespace {

constexpr std::size_t most_regions = 256;
constexpr std::size_t longest_path = 1024;
constexpr int exit_bad_file = 2;  ///< exit_bad_input of comm/program.hpp, which lies above

// See Note [A mapped file that shrinks].
struct Place {
  std::atomic<std::uintptr_t> begin;  ///< 0: free
  std::atomic<std::size_t> size;
  char path[longest_path];
  char shown[longest_path];  ///< for a terminal
};
std::array<Place, most_regions> table;
std::mutex table_mutex;  // the handler does not take it
std::atomic<bool> reporting = false;
struct sigaction before {};

/// Text that a handler puts together.
class Text {
 public:
  Text& operator<<(const char* text) {
    for (; *text != '\0' && size_ < sizeof(text_); ++text) {
      text_[size_++] = *text;
    }
    return *this;
  }
  Text& operator<<(std::uint64_t number) {
    char digits[24] = {};
    std::size_t at = sizeof(digits) - 1;
    do {
      digits[--at] = static_cast<char>('0' + number % 10);
      number /= 10;
    } while (number != 0);
    return *this << digits + at;
  }
  void write() const { write_from_handler({text_, size_}); }

 private:
  char text_[longest_path + 400];
  std::size_t size_ = 0;
};

/// Ranks report in turn: mpirun kills the others a second after the first one's end.
void wait_for_lower_ranks() {
  std::signal(SIGTERM, SIG_DFL);
  const char* text = std::getenv("OMPI_COMM_WORLD_RANK");
  text = text != nullptr ? text : std::getenv("PMI_RANK");
  const long rank = text != nullptr ? std::strtol(text, nullptr, 10) : 0;
  timespec time{rank <= 0 ? 0 : 2 + (rank > 10 ? 10 : rank), 0};
  ::nanosleep(&time, nullptr);
}

[[noreturn]] void end_for(const Place& place, std::uintptr_t address) {
  if (reporting.exchange(true)) {
    for (;;) {
      ::pause();  // another thread reports
    }
  }
  wait_for_lower_ranks();
  struct stat status {};
  const bool is_known = ::stat(place.path, &status) == 0;
  const auto now = static_cast<std::uint64_t>(status.st_size);
  Text text;
  text << "error: " << place.shown;
  if (is_known && now <= address - place.begin.load()) {
    text << ": the file was truncated while it was being read (expected "
         << std::uint64_t{place.size.load()} << " bytes, found " << now
         << "). Restore it; then repeat the command to resume from the last checkpoint\n";
  } else {
    text << ": the file could not be read any more: its disk or file server failed, or the file "
            "was replaced. Then repeat the command to resume from the last checkpoint\n";
  }
  text.write();
  ::_exit(exit_bad_file);
}

extern "C" void take_bus_error(int number, siginfo_t* info, void* /*context*/) {
  const auto address = reinterpret_cast<std::uintptr_t>(info->si_addr);
  for (const Place& place : table) {
    const std::uintptr_t begin = place.begin.load();
    if (begin != 0 && address >= begin && address - begin < place.size.load()) {
      end_for(place, address);
    }
  }
  ::sigaction(number, &before, nullptr);  // the instruction fails again
}

void copy_into(char (&to)[longest_path], const std::string& from) {
  to[from.copy(to, longest_path - 1)] = '\0';
}

}  // namespace

MappedRegion::MappedRegion(const void* base, std::size_t size, const std::string& path)
    : place_(0) {
  const std::lock_guard lock(table_mutex);
  static const bool installed = [] {
    struct sigaction action {};
    action.sa_sigaction = take_bus_error;
    action.sa_flags = SA_SIGINFO;
    return ::sigaction(SIGBUS, &action, &before) == 0;
  }();
  while (place_ < most_regions && (!installed || table[place_].begin.load() != 0)) {
    ++place_;
  }
  if (place_ < most_regions) {
    copy_into(table[place_].path, path);
    copy_into(table[place_].shown, printable(path));
    table[place_].size.store(size);
    table[place_].begin.store(reinterpret_cast<std::uintptr_t>(base));
  }
}

MappedRegion::~MappedRegion() {
  if (place_ < most_regions) {
    table[place_].begin.store(0);
  }
}

}  // namespace dnn
