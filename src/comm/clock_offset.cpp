#include "dnn/comm/clock_offset.hpp"

#include <cstdint>

#include "dnn/comm/mpi_error.hpp"

namespace dnn {

namespace {

constexpr int clock_tag = 17;
constexpr int round_trips = 25;

std::int64_t steady_nanoseconds() {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(
             std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

void send_time(const Communicator& ranks, std::int64_t time, int to) {
  check_mpi(MPI_Send(&time, 1, MPI_INT64_T, to, clock_tag, ranks.handle()), "MPI_Send");
}

std::int64_t receive_time(const Communicator& ranks, int from) {
  std::int64_t time = 0;
  check_mpi(MPI_Recv(&time, 1, MPI_INT64_T, from, clock_tag, ranks.handle(), MPI_STATUS_IGNORE),
            "MPI_Recv");
  return time;
}

void answer_all(const Communicator& ranks) {
  for (int rank = 1; rank < ranks.size(); ++rank) {
    for (int i = 0; i < round_trips; ++i) {
      (void)receive_time(ranks, rank);
      send_time(ranks, steady_nanoseconds(), rank);
    }
  }
}

}  // namespace

ClockOffset measure_clock_offset(const Communicator& ranks) {
  const HeartbeatRecorder::Waiting waiting(ranks.heartbeat(), Operation::receive);
  if (ranks.is_root()) {
    answer_all(ranks);
    return {};
  }
  std::int64_t shortest = 0;
  std::int64_t offset = 0;
  for (int i = 0; i < round_trips; ++i) {
    const std::int64_t sent = steady_nanoseconds();
    send_time(ranks, sent, 0);
    const std::int64_t of_root = receive_time(ranks, 0);
    const std::int64_t round_trip = steady_nanoseconds() - sent;
    if (i == 0 || round_trip < shortest) {
      shortest = round_trip;
      offset = sent + round_trip / 2 - of_root;
    }
  }
  return {std::chrono::nanoseconds(offset), std::chrono::nanoseconds(shortest / 2)};
}

}  // namespace dnn
