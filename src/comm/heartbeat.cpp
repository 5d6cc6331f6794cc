#include "dnn/comm/heartbeat.hpp"

namespace dnn {

void HeartbeatRecorder::record_in(Heartbeat* heartbeat) {
  Heartbeat& to = heartbeat != nullptr ? *heartbeat : own_;
  const Heartbeat& from = *heartbeat_.load();
  if (&to != &from) {
    to.beats.store(from.beats.load());
    to.update.store(from.update.load());
    to.activity.store(from.activity.load());
    to.operation.store(from.operation.load());
  }
  heartbeat_.store(&to);
}

const char* name_of(Activity activity) {
  switch (activity) {
    case Activity::starting:
      return "starting";
    case Activity::loading:
      return "loading the data";
    case Activity::computing:
      return "computing an update";
    case Activity::fetching:
      return "fetching a batch of samples";
    case Activity::evaluating:
      return "evaluating";
    case Activity::writing:
      return "writing the model or the metrics";
    case Activity::checkpointing:
      return "making a checkpoint";
    default:
      return "ending";
  }
}

const char* name_of(Operation operation) {
  switch (operation) {
    case Operation::none:
      return "no operation";
    case Operation::barrier:
      return "MPI_Barrier";
    case Operation::node_barrier:
      return "the node's barrier";
    case Operation::all_reduce:
      return "MPI_Allreduce";
    case Operation::all_to_all:
      return "MPI_Alltoall";
    case Operation::all_gather:
      return "MPI_Allgather";
    case Operation::broadcast:
      return "MPI_Bcast";
    case Operation::send:
      return "MPI_Send";
    case Operation::receive:
      return "MPI_Recv";
    case Operation::split:
      return "MPI_Comm_split";
    default:
      return "making or freeing shared memory";
  }
}

}  // namespace dnn
