#pragma once

#include <atomic>
#include <cstdint>

#include "dnn/comm/communicator.hpp"
#include "dnn/dnn_train.hpp"
#include "dnn/library/library_settings.hpp"
#include "dnn/library/records.hpp"
#include "dnn/model/model_file.hpp"

namespace dnn {

/// A network that was trained, on all ranks.
struct FittedModel {
  SavedModel model;
  dnn_train::Fit result;
};

/// Collective over `world`: trains a network on the records of all ranks as a run of the program
/// does, without a run folder, until its end or until `stop` is set on any rank. Throws
/// AgreedError, also where the host's callback threw on any rank (Fault::callback).
template <class T>
[[nodiscard]] FittedModel fit_samples(const Communicator& world, const LibrarySettings& settings,
                                      const dnn_train::Host& host, const Records& records,
                                      std::int64_t largest_class, std::atomic<bool>& stop);

/// Collective over `world`: a network for step(), without parameters: its widths, and the scaling
/// of inputs and targets by the records of all ranks. Nothing is clipped unless the settings say
/// so: later samples of a simulation exceed the range of its first ones. Throws AgreedError.
[[nodiscard]] ModelDescription describe_for_steps(const Communicator& world,
                                                  const LibrarySettings& settings,
                                                  const Records& records,
                                                  std::int64_t largest_class);

/// Collective over `world`: rank 0's model on all ranks. `origin` names it in errors.
[[nodiscard]] SavedModel broadcast_model(const Communicator& world, SavedModel model,
                                         const std::string& origin);

}  // namespace dnn
