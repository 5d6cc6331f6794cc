#pragma once

// The functions of dnn_train.h: a thin layer over dnn_train::Trainer.

#include "dnn/dnn_train.h"
