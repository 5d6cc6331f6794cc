#ifndef DNN_TRAIN_H
#define DNN_TRAIN_H

/* dnn_train as a library for C, and for whatever calls C. What each call does, which calls are
 * collective, and what the options are: see dnn_train.hpp. This file says what is different in C.
 *
 *     dnn_train_t trainer = NULL;
 *     if (dnn_train_open(MPI_COMM_WORLD, "hidden = [64, 32]", &trainer) != DNN_TRAIN_OK) {
 *       fprintf(stderr, "%s\n", dnn_train_error(NULL));
 *     }
 *     dnn_train_put(trainer, &features, NULL, &targets, ids, NULL);
 *     dnn_train_fit(trainer, NULL);
 *     dnn_train_close(&trainer);
 *
 * Every call returns DNN_TRAIN_OK or the code of an error, whose text dnn_train_error gives. No
 * exception leaves a call. A handle belongs to the caller, until dnn_train_close; a handle that is
 * null, closed, or none at all is an error (DNN_TRAIN_INPUT), not a crash. The samples of
 * dnn_train_put belong to the caller and must stay where they are until the call that uses them
 * (fit, prepare, step or evaluate) has returned; that call uses them up.
 *
 * C99. Compiled against the MPI library that dnn_train was built with. */

#include <mpi.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#if defined(__GNUC__)
#define DNN_TRAIN_C_API __attribute__((visibility("default")))
#else
#define DNN_TRAIN_C_API
#endif

/* Changes where a program must be compiled anew; the shared library's SONAME has it. */
#define DNN_TRAIN_ABI_VERSION 0

typedef enum dnn_train_status {
  DNN_TRAIN_OK = 0,
  DNN_TRAIN_INPUT = 1,    /* what the caller gave cannot be used */
  DNN_TRAIN_FILE = 2,     /* a file cannot be read or written */
  DNN_TRAIN_NUMBERS = 3,  /* NaN or infinity came out of the computation */
  DNN_TRAIN_MEMORY = 4,   /* not enough of it */
  DNN_TRAIN_CALLBACK = 5, /* the host's callback failed */
  DNN_TRAIN_MPI = 6,      /* an MPI call failed */
  DNN_TRAIN_BUSY = 7,     /* another thread uses this trainer */
  DNN_TRAIN_INTERNAL = 8  /* a fault of the library */
} dnn_train_status;

/* A trainer. The value is a number, not an address: using it after the end is found out. */
typedef struct dnn_train_handle* dnn_train_t;

typedef enum dnn_train_type { DNN_TRAIN_FLOAT = 0, DNN_TRAIN_DOUBLE = 1 } dnn_train_type;

/* Numbers of the caller: element (i, j) is at data + i * row_stride + j * column_stride, counted in
 * elements. */
typedef struct dnn_train_matrix {
  const void* data;
  int type; /* DNN_TRAIN_FLOAT or DNN_TRAIN_DOUBLE */
  size_t rows;
  size_t columns;
  ptrdiff_t row_stride;
  ptrdiff_t column_stride;
} dnn_train_matrix;

typedef struct dnn_train_fit_result {
  uint64_t epochs;        /* that were trained */
  uint64_t best_epoch;    /* whose parameters the trainer has now */
  double loss;            /* of training, in the last epoch */
  double validation_loss; /* of the best epoch; NaN: nothing was held out */
  int stopped;            /* 1: it was asked to end */
} dnn_train_fit_result;

typedef struct dnn_train_step_result {
  uint64_t update;  /* its number, from 1 */
  uint64_t samples; /* of all ranks that it was made from */
  int counted;      /* 1: it changed the parameters */
} dnn_train_step_result;

/* Gets a line of the log, on rank 0. */
typedef void (*dnn_train_log)(const char* line, void* context);
/* Called on every rank after each epoch of a fit; anything but 0 ends the fit: a positive number as
 * a wish to stop, a negative one as an error. */
typedef int (*dnn_train_after_epoch)(uint64_t epoch, uint64_t epochs, double loss,
                                     double validation_loss, void* context);

/* The library's version, as "0.1.0". */
DNN_TRAIN_C_API const char* dnn_train_version(void);

/* Collective over `communicator`. `options`: TOML text, null: none. */
DNN_TRAIN_C_API dnn_train_status dnn_train_open(MPI_Comm communicator, const char* options,
                                                dnn_train_t* trainer);
/* The same with what the host wants to hear of; both callbacks may be null. */
DNN_TRAIN_C_API dnn_train_status dnn_train_open_with(MPI_Comm communicator, const char* options,
                                                     dnn_train_log log,
                                                     dnn_train_after_epoch after_epoch,
                                                     void* context, dnn_train_t* trainer);
/* Collective, for Fortran: `communicator` is the integer handle. */
DNN_TRAIN_C_API dnn_train_status dnn_train_open_fortran(MPI_Fint communicator, const char* options,
                                                        dnn_train_t* trainer);

/* This rank's samples for the next call that needs some. `classes`, `targets`, `ids` and `weights`
 * may be null, see Samples in dnn_train.hpp. */
DNN_TRAIN_C_API dnn_train_status dnn_train_put(dnn_train_t trainer,
                                               const dnn_train_matrix* features,
                                               const int32_t* classes,
                                               const dnn_train_matrix* targets, const uint64_t* ids,
                                               const double* weights);

/* Collective; each uses up what put has given. `result` may be null. */
DNN_TRAIN_C_API dnn_train_status dnn_train_fit(dnn_train_t trainer, dnn_train_fit_result* result);
DNN_TRAIN_C_API dnn_train_status dnn_train_prepare(dnn_train_t trainer);
DNN_TRAIN_C_API dnn_train_status dnn_train_step(dnn_train_t trainer, dnn_train_step_result* result);
/* `accuracy` may be null. The other figures: dnn_train_figure. */
DNN_TRAIN_C_API dnn_train_status dnn_train_evaluate(dnn_train_t trainer, double* loss,
                                                    double* accuracy);
/* Not collective: a figure of the last evaluate by its name, as "r2" or "f1_macro". */
DNN_TRAIN_C_API dnn_train_status dnn_train_figure(dnn_train_t trainer, const char* name,
                                                  double* value);

DNN_TRAIN_C_API dnn_train_status dnn_train_recent_loss(dnn_train_t trainer, double* loss);
DNN_TRAIN_C_API dnn_train_status dnn_train_set_learning_rate(dnn_train_t trainer, double rate);

/* Not collective. `answers`: rows x outputs elements of `type`, row-major. */
DNN_TRAIN_C_API dnn_train_status dnn_train_predict(dnn_train_t trainer,
                                                   const dnn_train_matrix* features, int type,
                                                   void* answers);
/* Not collective; 0 where there is no network yet. */
DNN_TRAIN_C_API dnn_train_status dnn_train_shape(dnn_train_t trainer, size_t* features,
                                                 size_t* outputs);

/* Collective. */
DNN_TRAIN_C_API dnn_train_status dnn_train_save(dnn_train_t trainer, const char* path);
DNN_TRAIN_C_API dnn_train_status dnn_train_load(dnn_train_t trainer, const char* path);

/* Collective. `bytes` and `size` become the state on rank 0 and nothing elsewhere; they belong to
 * the trainer and are valid until the next call. */
DNN_TRAIN_C_API dnn_train_status dnn_train_state(dnn_train_t trainer, const void** bytes,
                                                 size_t* size);
DNN_TRAIN_C_API dnn_train_status dnn_train_restore(dnn_train_t trainer, const void* bytes,
                                                   size_t size);

/* Not collective: 64 hexadecimal digits and a zero. */
DNN_TRAIN_C_API dnn_train_status dnn_train_hash(dnn_train_t trainer, char hash[65]);

/* Not collective, from any thread. */
DNN_TRAIN_C_API dnn_train_status dnn_train_request_stop(dnn_train_t trainer);
/* `requested` becomes 1 or 0. */
DNN_TRAIN_C_API dnn_train_status dnn_train_stop_requested(dnn_train_t trainer, int* requested);

/* The message of the last call that failed in this thread: of this trainer, or of any trainer where
 * `trainer` is null. Never null; valid until the next call of this thread. */
DNN_TRAIN_C_API const char* dnn_train_error(dnn_train_t trainer);

/* Collective: ends the trainer; `*trainer` becomes null. */
DNN_TRAIN_C_API dnn_train_status dnn_train_close(dnn_train_t* trainer);

#ifdef __cplusplus
}
#endif

#endif
