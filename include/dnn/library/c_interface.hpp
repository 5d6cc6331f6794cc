#pragma once

// The functions of dnn_train.h, which are a thin coat around dnn_train::Trainer.

#include "dnn/dnn_train.h"
