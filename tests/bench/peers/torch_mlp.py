#!/usr/bin/python3
"""The PyTorch peer of the benchmark: a dense ReLU network trained on CPUs, alone or with DDP.

    torch_mlp.py step      throughput on synthetic batches that are already in memory
    torch_mlp.py accuracy  training time to 88 % and 90 % accuracy on Fashion-MNIST

Written for the PyTorch of Debian 12 (python3-torch 1.13) and everything newer. One process trains
the plain model; several are started here, on this machine, and train it with
DistributedDataParallel over gloo. The result is one line of JSON on standard output.
"""

from __future__ import annotations

import argparse
import contextlib
import gzip
import json
import math
import os
import statistics
import struct
import sys
import tempfile
import time
from pathlib import Path

PROGRAM = "torch_mlp.py"
DEFAULT_RATE = {"sgd": 0.01, "momentum": 0.01, "adam": 0.001}
MOMENTUM = 0.9
WARM_UP_STEPS = 20
SYNTHETIC_BATCHES = 32  # enough not to be learnt by heart within a measurement
TARGETS = (0.88, 0.90)
FASHION_MNIST = "/usr/share/datasets/fashion-mnist"
FILES = {
    "train": ("train-images-idx3-ubyte.gz", "train-labels-idx1-ubyte.gz"),
    "test": ("t10k-images-idx3-ubyte.gz", "t10k-labels-idx1-ubyte.gz"),
}


class InputError(Exception):
    """What the caller gave cannot be used; the message says what to do."""


def import_torch(threads: int) -> None:
    """Make the global `torch` this process's PyTorch, computing with that many threads.

    The import waits for the command line because BLAS and OpenMP libraries read their thread
    counts when they are loaded; torch.set_num_threads reaches OpenMP alone.
    """
    global torch
    for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ[variable] = str(threads)
    try:
        import torch
        import torch.distributed
        import torch.multiprocessing
    except ImportError as error:
        raise InputError(
            f"PyTorch cannot be imported by {sys.executable} ({error}); on Debian install "
            "python3-torch and use /usr/bin/python3"
        ) from error
    torch.set_num_threads(threads)
    if (blas_library() or "").startswith("blas/"):
        raise InputError("PyTorch runs on the reference BLAS, many times slower than a tuned one; "
                         "on Debian install libopenblas0-openmp")


def blas_library() -> str | None:
    """The loaded BLAS as folder/file, which tells Debian's alternatives apart; None if unknown."""
    try:
        lines = Path("/proc/self/maps").read_text().splitlines()
    except OSError:
        return None
    paths = {Path(line.split()[-1]) for line in lines if "/" in line}
    names = sorted(f"{path.parent.name}/{path.name}" for path in paths
                   if path.name.startswith(("libblas.", "libmkl_core.")))
    return names[0] if names else None


class Workers:
    """The processes that train together, seen from one of them; a lone one never communicates."""

    def __init__(self, rank: int, size: int) -> None:
        self.rank = rank
        self.size = size

    def barrier(self) -> None:
        if self.size > 1:
            torch.distributed.barrier()

    def from_first(self, value: float) -> float:
        """Rank 0's value, on every rank."""
        if self.size == 1:
            return value
        box = torch.tensor([value], dtype=torch.float64)
        torch.distributed.broadcast(box, src=0)
        return box.item()

    def sum(self, value: int) -> int:
        if self.size == 1:
            return value
        box = torch.tensor([value], dtype=torch.int64)
        torch.distributed.all_reduce(box)
        return int(box.item())

    def share(self, count: int) -> slice:
        """This rank's part of count items; the parts differ by one at most."""
        return slice(count * self.rank // self.size, count * (self.rank + 1) // self.size)


class Trainer:
    """The model, its optimizer and one step of training."""

    def __init__(self, options: argparse.Namespace, workers: Workers) -> None:
        torch.manual_seed(options.seed)
        layers: list[torch.nn.Module] = []
        for inputs, outputs in zip(options.widths, options.widths[1:]):
            layers += [torch.nn.Linear(inputs, outputs), torch.nn.ReLU()]
        self.network = torch.nn.Sequential(*layers[:-1])  # the last layer gives the logits
        self.model = self.network
        if workers.size > 1:
            self.model = torch.nn.parallel.DistributedDataParallel(
                self.network, gradient_as_bucket_view=True)
        if options.compile:
            self.model = torch.compile(self.model)
        self.workers = workers
        self.mean_loss = torch.nn.CrossEntropyLoss()
        self.total_loss = torch.nn.CrossEntropyLoss(reduction="sum")
        self.optimizer = make_optimizer(options, self.model.parameters())
        self.precision = contextlib.nullcontext()
        if options.precision == "bf16":
            self.precision = torch.autocast("cpu", dtype=torch.bfloat16)

    def step(self, x: torch.Tensor, y: torch.Tensor, batch: int) -> None:
        """Train on this rank's rows of a batch of that many rows in all."""
        self.optimizer.zero_grad(set_to_none=True)
        with self.precision:
            logits = self.model(x)
            if len(y) * self.workers.size == batch:
                loss = self.mean_loss(logits, y)
            else:  # DDP averages over ranks: this makes it the mean over rows for unequal shares
                loss = self.total_loss(logits, y) * (self.workers.size / batch)
        loss.backward()
        self.optimizer.step()

    def accuracy(self, x: torch.Tensor, y: torch.Tensor) -> float:
        """The fraction of rows that the model classifies rightly; collective."""
        mine = self.workers.share(len(y))
        with torch.inference_mode(), self.precision:
            right = (self.network(x[mine]).argmax(1) == y[mine]).sum().item()
        return self.workers.sum(int(right)) / len(y)


def make_optimizer(options: argparse.Namespace, parameters) -> torch.optim.Optimizer:
    if options.optimizer == "adam":
        return torch.optim.Adam(parameters, lr=options.lr, foreach=True)  # the faster variant
    momentum = MOMENTUM if options.optimizer == "momentum" else 0.0
    return torch.optim.SGD(parameters, lr=options.lr, momentum=momentum)


def run_step(options: argparse.Namespace, workers: Workers) -> dict:
    """Measure the throughput of training steps; collective."""
    trainer = Trainer(options, workers)
    generator = torch.Generator().manual_seed(options.seed + 1 + workers.rank)
    batches = [
        (torch.randn(options.rows, options.widths[0], generator=generator),
         torch.randint(options.widths[-1], (options.rows,), generator=generator))
        for _ in range(SYNTHETIC_BATCHES)
    ]
    batch = options.rows * workers.size

    def timed(steps: int) -> tuple[float, list[float]]:
        """The seconds that all ranks took together, and those of each step of this rank."""
        workers.barrier()
        marks = [time.perf_counter()]
        for i in range(steps):
            trainer.step(*batches[i % SYNTHETIC_BATCHES], batch)
            marks.append(time.perf_counter())
        workers.barrier()
        seconds = time.perf_counter() - marks[0]
        return seconds, [end - begin for begin, end in zip(marks, marks[1:])]

    timed(WARM_UP_STEPS)
    steps = WARM_UP_STEPS
    while True:  # until the calibration is long enough to foretell the measurement
        seconds = workers.from_first(timed(steps)[0])
        if seconds >= options.seconds / 10:
            break
        steps *= 2
    steps = max(WARM_UP_STEPS, round(steps * options.seconds / seconds))
    seconds, each = timed(steps)
    return {
        "rows": options.rows,
        "samples_per_second": round(steps * batch / seconds, 1),
        "step_us": round(statistics.median(each) * 1e6, 1),
        "steps": steps,
    }


def read_idx(path: Path, dimensions: int) -> torch.Tensor:
    """The unsigned bytes of a gzipped IDX file: two zeros, type 8, rank, big-endian extents."""
    try:
        content = bytearray(gzip.decompress(path.read_bytes()))
    except (OSError, EOFError) as error:
        raise InputError(f"{path} cannot be read: {error}") from error
    start = 4 + 4 * dimensions
    if len(content) < start or content[:4] != bytes((0, 0, 8, dimensions)):
        raise InputError(f"{path} is not an IDX file of bytes in {dimensions} dimensions")
    shape = struct.unpack(f">{dimensions}I", content[4:start])
    if len(content) - start != math.prod(shape):
        raise InputError(f"{path} holds {len(content) - start} bytes where {shape} are announced")
    return torch.frombuffer(content, dtype=torch.uint8, offset=start).reshape(shape)


def read_part(folder: Path, part: str) -> tuple[torch.Tensor, torch.Tensor]:
    """Features [samples, pixels] as floats, and labels."""
    images, labels = FILES[part]
    x = read_idx(folder / images, 3).flatten(1).float()
    y = read_idx(folder / labels, 1).long()
    if len(x) != len(y):
        raise InputError(f"{folder}: {images} has {len(x)} samples, {labels} {len(y)}")
    return x, y


def run_accuracy(options: argparse.Namespace, workers: Workers) -> dict:
    """Train on Fashion-MNIST, with the accuracy after each epoch, on the test images or on those that
    --validation holds out of the training images; collective."""
    train_x, train_y = read_part(options.data, "train")
    test_x, test_y = read_part(options.data, "test")
    if options.validation > 0:
        order = torch.randperm(len(train_y), generator=torch.Generator().manual_seed(options.seed))
        held_out, kept = order.tensor_split([round(options.validation * len(train_y))])
        test_x, test_y = train_x[held_out], train_y[held_out]
        train_x, train_y = train_x[kept], train_y[kept]
    if options.widths[0] != train_x.shape[1]:
        raise InputError(f"--widths must begin with {train_x.shape[1]}, the pixels of an image")
    if options.widths[-1] <= int(train_y.max()):
        raise InputError(f"--widths must end with {int(train_y.max()) + 1}, the number of classes")
    deviation, mean = torch.std_mean(train_x, dim=0, unbiased=False)
    scale = torch.where(deviation > 0, 1 / deviation, torch.zeros_like(deviation))
    for x in (train_x, test_x):
        x.sub_(mean).mul_(scale)

    trainer = Trainer(options, workers)
    scheduler = None
    if options.lr_schedule == "cosine":
        updates = options.epochs * math.ceil(len(train_y) / options.batch)
        scheduler = torch.optim.lr_scheduler.CosineAnnealingLR(trainer.optimizer, T_max=updates)
    generator = torch.Generator().manual_seed(options.seed)  # the same shuffles on every rank

    def train_epoch() -> float:
        """The seconds of one pass through the training data."""
        workers.barrier()
        begin = time.perf_counter()
        for batch in torch.randperm(len(train_y), generator=generator).split(options.batch):
            mine = batch[workers.share(len(batch))]
            trainer.step(train_x.index_select(0, mine), train_y.index_select(0, mine), len(batch))
            if scheduler is not None:
                scheduler.step()
        workers.barrier()
        return time.perf_counter() - begin

    seconds = 0.0
    epochs: list[dict] = []
    reached: dict[float, float | None] = dict.fromkeys(TARGETS)
    for epoch in range(1, options.epochs + 1):
        seconds += train_epoch()
        accuracy = trainer.accuracy(test_x, test_y)
        epochs.append({"epoch": epoch, "seconds": round(seconds, 4), "accuracy": accuracy})
        for target in TARGETS:
            if reached[target] is None and accuracy >= target:
                reached[target] = round(seconds, 4)
    return {
        "batch": options.batch,
        "lr_schedule": options.lr_schedule,
        "epochs": epochs,
        **{f"seconds_to_{round(100 * target)}": when for target, when in reached.items()},
        "best_accuracy": max(entry["accuracy"] for entry in epochs),
        "samples_per_second": round(options.epochs * len(train_y) / seconds, 1),
    }


MODES = {"step": run_step, "accuracy": run_accuracy}


def bind(rank: int, threads: int) -> None:
    """Keep this process and the threads it will start on cores of its own, as mpirun does."""
    cores = sorted(os.sched_getaffinity(0))
    os.sched_setaffinity(0, cores[rank * threads:(rank + 1) * threads])


def work(rank: int, options: argparse.Namespace, meeting_point: str) -> None:
    """What one process does: join the others, train, and report if it is the first."""
    if options.bind == "core":
        bind(rank, options.threads)
    import_torch(options.threads)
    workers = Workers(rank, options.processes)
    if workers.size > 1:
        torch.distributed.init_process_group(
            "gloo", init_method=f"file://{meeting_point}", rank=rank, world_size=workers.size)
    try:
        result = MODES[options.mode](options, workers)
    finally:
        if workers.size > 1:
            torch.distributed.destroy_process_group()
    if rank == 0:
        setting = {
            "peer": "torch",
            "version": torch.__version__,
            "blas": blas_library(),
            "mode": options.mode,
            "widths": options.widths,
            "processes": options.processes,
            "threads": options.threads,
            "bind": options.bind,
            "compile": options.compile,
            "precision": options.precision,
            "optimizer": options.optimizer,
            "lr": options.lr,
        }
        print(json.dumps({**setting, **result}), flush=True)


def launch(options: argparse.Namespace) -> None:
    """Run the workers and wait for them; the failure of one ends the others."""
    import_torch(options.threads)
    if options.processes == 1:
        work(0, options, "")
        return
    os.environ.setdefault("GLOO_SOCKET_IFNAME", "lo")  # all are on this machine
    with tempfile.TemporaryDirectory(prefix="torch_mlp_") as folder:
        torch.multiprocessing.spawn(
            work, args=(options, os.path.join(folder, "meeting_point")), nprocs=options.processes)


def widths(text: str) -> list[int]:
    """The layer widths, inputs first, of a text such as 784,512,256,10."""
    values = [int(word) for word in text.split(",")]
    if len(values) < 2 or min(values) < 1:
        raise argparse.ArgumentTypeError("inputs and outputs at least, all of them positive")
    return values


def positive(text: str) -> int:
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError("must be 1 or more")
    return value


def positive_real(text: str) -> float:
    value = float(text)
    if not (math.isfinite(value) and value > 0):
        raise argparse.ArgumentTypeError("must be finite and above 0")
    return value


def parse(arguments: list[str]) -> argparse.Namespace:
    common = argparse.ArgumentParser(add_help=False)
    common.add_argument("--widths", type=widths, default="784,512,256,10", metavar="W0,W1,...",
                        help="layer widths: inputs, hidden layers, classes (%(default)s)")
    common.add_argument("--processes", type=positive, default=1, metavar="N",
                        help="processes on this machine (%(default)s)")
    common.add_argument("--threads", type=positive, default=1, metavar="N",
                        help="threads of each process (%(default)s)")
    common.add_argument("--bind", choices=["none", "core"],
                        help="core: each process on as many cores of its own as it has threads "
                             "(core for several processes, none for one)")
    common.add_argument("--optimizer", choices=list(DEFAULT_RATE), default="sgd",
                        help="(%(default)s); momentum is SGD with momentum 0.9")
    common.add_argument("--lr", type=positive_real, metavar="RATE",
                        help="learning rate (0.01; adam: 0.001)")
    common.add_argument("--precision", choices=["float", "bf16"], default="float",
                        help="bf16: autocast to bfloat16 (%(default)s)")
    common.add_argument("--compile", action="store_true", help="the model through torch.compile (needs a C++ compiler)")
    common.add_argument("--seed", type=positive, default=1, metavar="N", help="(%(default)s)")

    parser = argparse.ArgumentParser(prog=PROGRAM, description=__doc__.split("\n")[0])
    modes = parser.add_subparsers(dest="mode", required=True, metavar="step|accuracy")
    step = modes.add_parser("step", parents=[common],
                            help="throughput of training steps on synthetic data")
    step.add_argument("--rows", type=positive, default=64, metavar="N",
                      help="samples of a step, for each process (%(default)s)")
    step.add_argument("--seconds", type=positive_real, default=2.0, metavar="S",
                      help="measuring time, after the warm-up (%(default)s)")
    accuracy = modes.add_parser("accuracy", parents=[common],
                                help="training time to a test accuracy on Fashion-MNIST")
    accuracy.add_argument("--data", type=Path, default=FASHION_MNIST, metavar="FOLDER",
                          help="the four .gz files of Fashion-MNIST (%(default)s)")
    accuracy.add_argument("--batch", type=positive, default=128, metavar="N",
                          help="samples of a step, over all processes (%(default)s)")
    accuracy.add_argument("--validation", type=float, default=0.0, metavar="FRACTION",
                          help="held out of the training images to judge by (the test images)")
    accuracy.add_argument("--epochs", type=positive, default=20, metavar="N", help="(%(default)s)")
    accuracy.add_argument("--lr-schedule", choices=["constant", "cosine"], default="constant",
                          help="cosine: from the rate to 0 over the run, by step (%(default)s)")
    options = parser.parse_args(arguments)
    if options.lr is None:
        options.lr = DEFAULT_RATE[options.optimizer]
    if options.bind is None:
        options.bind = "core" if options.processes > 1 else "none"
    if options.bind == "core":
        needed, usable = options.processes * options.threads, len(os.sched_getaffinity(0))
        if needed > usable:
            parser.error(f"--bind core: {needed} cores are needed, {usable} may be used; "
                         "--bind none shares them")
    if options.mode == "accuracy":
        for name in (*FILES["train"], *FILES["test"]):
            if not (options.data / name).is_file():
                parser.error(f"--data: there is no {options.data / name}; on Debian install "
                             "dataset-fashion-mnist")
    return options


def main() -> int:
    options = parse(sys.argv[1:])
    try:
        launch(options)
    except InputError as error:
        print(f"{PROGRAM}: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
