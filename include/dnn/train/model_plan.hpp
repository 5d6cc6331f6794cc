#pragma once

#include "dnn/nn/network.hpp"
#include "dnn/nn/parameter_layout.hpp"
#include "dnn/parallel/make_exchange.hpp"

namespace dnn {

/// How the ranks hold a network together and combine its gradients, decided before training.
struct ModelPlan {
  ProductKind products = ProductKind::full;
  ParameterLayout layout;  ///< of the whole network
  ParameterLayout part;    ///< of what this rank holds of it
  ExchangeSettings exchange_settings;
  ExchangeChoice exchange;
};

}  // namespace dnn
