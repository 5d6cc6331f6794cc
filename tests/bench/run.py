#!/usr/bin/python3
"""Measures everything the README's table of figures shows, and writes it there.

    tests/bench/run.py [--build build] [--sections steps,scaling,...] [--repeats 3] [--python PYTHON] [--no-readme]

Builds the benchmarks, runs ours and PyTorch in turns so that a machine whose speed drifts does not
favour one of them, and reports medians with their spread. The hosts section needs root (it makes
four hosts with tests/cluster/cluster). --python names another Python than /usr/bin/python3 for PyTorch, as
that of a virtual environment with the newest release. The README keeps the figures of each processor;
those of this one are replaced. Raw lines go to <build>/bench/results.jsonl.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
TORCH = ROOT / "tests/bench/peers/torch_mlp.py"
CLUSTER = ROOT / "tests/cluster/cluster"
NETWORKS = [("784,128,10", 32), ("784,512,256,10", 64), ("784,1024,1024,10", 128),
            ("784,2048,2048,2048,10", 512)]
LARGE = [("4096,4096,4096,4096", 128), ("512,512,100000", 64)]
BEGIN, END = "<!-- figures: written by tests/bench/run.py -->", "<!-- end of figures -->"
NARROW = 16  # columns of layers that are left out of the means: no product of so few is a large part of a step
ONE_THREAD = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
MPI = {"OMPI_ALLOW_RUN_AS_ROOT": "1", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1",
       "OMPI_MCA_rmaps_base_oversubscribe": "1", "PRTE_ALLOW_RUN_AS_ROOT": "1",
       "PRTE_ALLOW_RUN_AS_ROOT_CONFIRM": "1",
       "PRTE_MCA_rmaps_default_mapping_policy": ":oversubscribe"}


class Bench:
    """Runs the programs, keeps every line they print, and collects the report."""

    def __init__(self, options: argparse.Namespace) -> None:
        self.bin = options.build / "bench"
        self.repeats = options.repeats
        self.seconds = options.seconds
        self.python = options.python
        self.raw = (self.bin / "results.jsonl").open("w")
        self.lines: list[str] = []

    def run(self, command: list) -> list[dict]:
        """The JSON lines that a command prints."""
        text = subprocess.run([str(word) for word in command], cwd=ROOT, check=True, text=True,
                              stdout=subprocess.PIPE, env={**os.environ, **MPI}).stdout
        found = [json.loads(line) for line in text.splitlines() if line.startswith("{")]
        for line in found:
            print(json.dumps(line), file=self.raw, flush=True)
        return found

    def step(self, network: str, rows: int, ranks: int, *more, mpirun=("mpirun",)) -> dict:
        program = [self.bin / "bench_step", "--widths", network, "--rows", rows, "--seconds",
                   self.seconds, *more]
        launch = [] if ranks == 1 else [*mpirun, "-np", ranks]
        if mpirun[0] != "mpirun":
            launch.append("--")
        return self.run([*launch, *program])[0]

    def torch_step(self, network: str, rows: int, processes: int, *more) -> dict:
        return self.run([self.python, TORCH, "step", "--widths", network, "--rows", rows, "--processes",
                         processes, "--seconds", self.seconds, *more])[0]

    def in_turns(self, runs: dict, repeats: int | None = None) -> dict:
        """Each of `runs` (name -> function) `repeats` times, in turns: name -> list of results."""
        results: dict = {name: [] for name in runs}
        for _ in range(repeats or self.repeats):
            for name, function in runs.items():
                results[name].append(function())
        return results

    def say(self, text: str = "") -> None:
        print(text, flush=True)
        self.lines.append(text)

    def table(self, head: list[str], rows: list[list[str]]) -> None:
        self.say("| " + " | ".join(head) + " |")
        self.say("|" + "---|" * len(head))
        for row in rows:
            self.say("| " + " | ".join(row) + " |")
        self.say()


def middle(results: list[dict], key: str) -> float:
    return statistics.median(result[key] for result in results)


def rate(results: list[dict], key: str = "samples_per_second") -> str:
    """The median, and how far apart the runs were if there were several: 12,300 (±2 %)."""
    values = [result[key] for result in results]
    if len(values) == 1:
        return f"{values[0]:,.0f}"
    spread = (max(values) - min(values)) / 2 / statistics.median(values)
    return f"{statistics.median(values):,.0f} (±{100 * spread:.0f} %)"


def dashes(network: str) -> str:
    return network.replace(",", "-")


def machine(bench: Bench) -> None:
    def first(command: str) -> str:
        done = subprocess.run(command, shell=True, text=True, stdout=subprocess.PIPE, check=False)
        return done.stdout.strip().splitlines()[0] if done.stdout.strip() else "?"

    cpu = first("lscpu | sed -n 's/^Model name: *//p'")
    cores = first("nproc")
    family = first("lscpu | sed -n 's/^Model: *//p'")
    versions = ", ".join([
        first("c++ --version"), first("mpirun --version"),
        "oneDNN " + first("dpkg-query -W -f '${Version}' libdnnl-dev"),
        "Linux " + first("uname -r")])
    bench.say(f"### {cpu} (model {family})")
    bench.say()
    bench.say(f"{cores} cores; {versions}. One thread a rank, float, SGD, unless "
              "said otherwise; medians of runs in turns, with half their spread.")
    bench.say()


def fma_peak(bench: Bench) -> float:
    """GFLOP/s of one core in a loop of nothing but multiply-adds."""
    text = subprocess.run([bench.bin / "bench_kernels", "--benchmark_format=json", "--benchmark_filter=fma_peak",
                           "--benchmark_min_time=0.2"], check=True, text=True, stdout=subprocess.PIPE).stdout
    return json.loads(text)["benchmarks"][0]["FLOP"] / 1e9


def step_gflops(results: list[dict]) -> float:
    """Of a whole step, counting its products alone, on each rank."""
    return middle(results, "products_gflops") * middle(results, "products_us") / middle(results, "step_us")


def steps(bench: Bench) -> None:
    bench.say("**Training steps against PyTorch, samples/s over all ranks:**")
    bench.say()
    rows, split = [], []
    for network, samples in NETWORKS:
        got = bench.in_turns({
            "torch1": lambda: bench.torch_step(network, samples, 1),
            "compiled": lambda: bench.torch_step(network, samples, 1, "--compile"),
            "one": lambda: bench.step(network, samples, 1),
            "torch2": lambda: bench.torch_step(network, samples, 2),
            "two": lambda: bench.step(network, samples, 2),
            "peak": lambda: {"gflops": fma_peak(bench)}})
        one, two = (middle(got[name], "samples_per_second") for name in ("one", "two"))
        t1, t2 = (middle(got[name], "samples_per_second") for name in ("torch1", "torch2"))
        best = max(t1, middle(got["compiled"], "samples_per_second"))
        rows.append([f"{dashes(network)}, {samples}", rate(got["torch1"]), rate(got["compiled"]),
                     rate(got["torch2"]), rate(got["one"]), rate(got["two"]), f"{one / best:.2f}×",
                     f"{two / t2:.2f}×", f"{two / one:.2f}×"])
        version = got["torch1"][0]["version"]
        for name in ("one", "two"):
            split.append([dashes(network), str(got[name][0]["ranks"])]
                         + [f"{middle(got[name], key + '_us'):,.1f}"
                            for key in ("step", "products", "load", "compute", "exchange", "update")]
                         + [f"{100 * middle(got[name], 'fraction_of_products'):.0f} %",
                            f"{step_gflops(got[name]):.0f}",
                            f"{100 * step_gflops(got[name]) / middle(got['peak'], 'gflops'):.0f} %",
                            f"{middle(got[name], 'memory_mib_all_ranks'):,.0f}"])
    bench.table(["network, samples a rank", f"PyTorch {version}, 1 process", "torch.compile, 1 process",
                 "PyTorch DDP (gloo), 2", "dnn_train, 1 rank", "dnn_train, 2 ranks",
                 "1 rank against the better process", "2 ranks against DDP", "2 ranks over 1"], rows)
    bench.say("**Where a step's time goes, µs (products: the step's matrix products alone, in the same run):**")
    bench.say()
    bench.table(["network", "ranks", "step", "products", "load", "compute", "exchange", "update",
                 "products / step", "GFLOP/s of the step", "of the FMA peak", "MiB, all ranks"], split)


def products(bench: Bench) -> None:
    """Every product of the networks as a fraction of what this core can multiply-add."""
    text = subprocess.run([bench.bin / "bench_kernels", "--benchmark_format=json",
                           "--benchmark_filter=fma_peak|forward|gradient_of|input_gradient|weight_gradient",
                           "--benchmark_repetitions=3", "--benchmark_enable_random_interleaving=true"],
                          check=True, text=True, stdout=subprocess.PIPE, env={**os.environ, **ONE_THREAD}).stdout
    rates: dict = {}
    for line in json.loads(text)["benchmarks"]:
        if line.get("aggregate_name") == "median":
            rates[line["run_name"].split("/repeats")[0]] = line["FLOP"] / 1e9
    peak = rates.pop("fma_peak")
    kinds = [("forward", "forward_of"), ("input_gradient", "input_gradient_of"),
             ("weight_gradient_of_1", "weight_gradient_of"), ("weight_gradient_of_8", "weight_gradient_of")]
    logs: dict = {"ours": [], "onednn": [], "openblas": []}
    rows = []
    for name in rates:
        if not name.startswith("forward/"):
            continue
        shape = name.split("/", 1)[1]
        extents = [int(word.split(":")[1]) for word in shape.split("/")]
        cells = []
        for ours, theirs in kinds:
            mine = rates[f"{ours}/{shape}"]
            others = {library: rates[f"{library}<{theirs}>/{shape}"] for library in ("onednn", "openblas")}
            cells.append(" / ".join(f"{100 * x / peak:.0f}" for x in (mine, *others.values())))
            if extents[-1] > NARROW and ours != "weight_gradient_of_8":
                logs["ours"].append(mine / peak)
                for library, other in others.items():
                    logs[library].append(mine / other)
        rows.append([" × ".join(map(str, extents))] + cells)
    mean = {key: statistics.geometric_mean(values) for key, values in logs.items()}
    bench.say(f"**Products in percent of the FMA peak of one core, {peak:.0f} GFLOP/s: dnn_train / oneDNN's sgemm / "
              f"OpenBLAS.** Without layers of 10 columns: geometric mean {100 * mean['ours']:.0f} %, least "
              f"{100 * min(logs['ours']):.0f} %; against oneDNN {mean['onednn']:.2f}× (least "
              f"{min(logs['onednn']):.2f}×), OpenBLAS {mean['openblas']:.2f}× (least {min(logs['openblas']):.2f}×).")
    bench.say()
    bench.table(["rows × in × out", "forward", "dX", "dW, 1 shard", "dW, 8 shards"], rows)


def bf16(bench: Bench) -> None:
    network, samples = NETWORKS[-1]
    got = bench.in_turns({
        "float": lambda: bench.step(network, samples, 1),
        "bf16": lambda: bench.step(network, samples, 1, "--precision", "bf16", "--products", 0),
        "torch": lambda: bench.torch_step(network, samples, 1, "--precision", "bf16")})
    ratio = middle(got["bf16"], "samples_per_second") / middle(got["float"], "samples_per_second")
    bench.say(f"**bf16**, {dashes(network)}, {samples} samples, 1 rank: {rate(got['bf16'])} samples/s, "
              f"float {rate(got['float'])}: {ratio:.2f}×; PyTorch bf16 {rate(got['torch'])}.")
    bench.say()


def scaling(bench: Bench) -> None:
    cores = len(os.sched_getaffinity(0))
    bench.say(f"**Ranks on {cores} cores, samples/s, one run each:**")
    bench.say()
    rows = []
    for network, samples in NETWORKS + LARGE:
        weak = {str(n): (lambda n=n: bench.step(network, samples, n, "--products", 0))
                for n in (1, 2, 4, 8)}
        strong = {f"s{n}": (lambda n=n: bench.step(network, max(1, 2 * samples // n), n,
                                                   "--products", 0)) for n in (4, 8)}
        got = bench.in_turns({**weak, **strong}, repeats=1)  # many runs, some of them long
        rates = {name: middle(results, "samples_per_second") for name, results in got.items()}
        rows.append([f"{dashes(network)}, {samples}"]
                    + [rate(got[str(n)]) for n in (1, 2, 4, 8)]
                    + [f"{100 * rates[f's{n}'] / rates['2']:.0f} %" for n in (4, 8)]
                    + [f"{middle(got['8'], 'memory_mib_all_ranks') / 8:,.0f}"])
    bench.table(["network, samples a rank"] + [f"{n} ranks" if n > 1 else "1 rank" for n in (1, 2, 4, 8)]
                + ["4 against 2 ranks, same batch", "8 against 2, same batch",
                   "MiB a rank, 8 ranks"], rows)


def exchange_table(bench: Bench, lines: list[dict]) -> None:
    names = [key[:-3] for key in lines[0] if key.endswith("_us")]
    rows = []
    for line in lines:
        plain = line["allreduce_us"]
        rows.append([f"{line['bytes'] / 1024:,.0f}"]
                    + [f"{line[name + '_us']:,.1f}" + ("" if name == "allreduce" else
                       f" ({plain / line[name + '_us']:.1f}×)") for name in names])
    bench.table(["KiB"] + [f"{name}, µs" for name in names], rows)


def exchange(bench: Bench) -> None:
    bench.say("**Combining and publishing gradients, 2 ranks of a node (medians of one run):**")
    bench.say()
    exchange_table(bench, bench.run(["mpirun", "-np", 2, bench.bin / "bench_exchange"]))


def on_hosts(bench: Bench, measure) -> None:
    """Calls measure(set_speed) while four hosts are up; needs root."""
    if os.geteuid() != 0:
        bench.say("(The four-host figures need root.)")
        return

    def cluster(*command: str) -> None:
        subprocess.run([CLUSTER, *command], check=True, stdout=subprocess.DEVNULL)

    cluster("up")
    try:
        measure(lambda speed: cluster("throttle", speed))
    finally:
        cluster("down")


def hosts(bench: Bench) -> None:
    """Four hosts of two ranks each over TCP, at full speed and throttled to 1 Gbit/s."""
    def measure(set_speed) -> None:
        for speed, name in (("off", "full speed"), ("1gbit", "1 Gbit/s a host")):
            set_speed(speed)
            bench.say(f"**Four hosts × 2 ranks on one machine, TCP, {name}:**")
            bench.say()
            exchange_table(bench, bench.run(
                [CLUSTER, "mpirun", "-np", 8, "--", bench.bin / "bench_exchange", "--compress",
                 "--most-mib", 16, "--seconds", 0.5]))
    on_hosts(bench, measure)


def overlap(bench: Bench) -> None:
    """How much of the exchange hides behind a backward that leaves the cores to it."""
    backward, mib = 400, 12
    rows = []

    def measure(set_speed) -> None:
        set_speed("1gbit")
        for bucket in (0.25, 1, 4):
            both = [CLUSTER, "mpirun", "-H", "h1:1,h2:1,h3:1,h4:1", "-np", 4, "--",
                    bench.bin / "bench_exchange", "--strategies", "allreduce,overlap", "--least-kib",
                    1024 * mib, "--most-mib", mib, "--seconds", 4, "--backward-ms", backward,
                    "--bucket-mib", bucket]
            line = bench.run(both)[0]
            exchanged = line["allreduce_us"] / 1e3 - backward
            hidden = (line["allreduce_us"] - line["overlap_us"]) / 1e3
            rows.append([f"{bucket} MiB", f"{line['allreduce_us'] / 1e3:.0f}",
                         f"{line['overlap_us'] / 1e3:.0f}",
                         f"{100 * hidden / min(exchanged, backward):.0f} %"])
    on_hosts(bench, measure)
    bench.say(f"**overlap: {mib} MiB of gradients, a backward of {backward} ms that leaves the cores free, 4 "
              "hosts × 1 rank, 1 Gbit/s:**")
    bench.say()
    bench.table(["bucket", "backward, then allreduce, ms", "overlap, ms",
                 "hidden of what backward could hide"], rows)


def accuracy(bench: Bench) -> None:
    settings = ["--epochs", 20, "--optimizer", "adam", "--lr", 0.001, "--lr-schedule", "cosine",
                "--validation", 0.1]
    data = "/usr/share/datasets/fashion-mnist"
    folder = bench.bin / "accuracy_run"

    def ours() -> dict:
        subprocess.run(["mpirun", "-np", "2", bench.bin.parent / "dnn_train", "--data", data, "--hidden",
                        "512,256", "--batch-size", "128", *map(str, settings), "--quiet", "--overwrite",
                        "--output", folder], check=True, env={**os.environ, **MPI})
        epochs = [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]
        result: dict = {"samples_per_second": json.loads(
            (folder / "summary.json").read_text())["samples_per_second"]}
        for target in (88, 90):
            seconds = 0.0
            result[f"seconds_to_{target}"] = None
            for epoch in epochs:
                seconds += epoch["seconds"]
                if epoch["validation_accuracy"] >= target / 100:
                    result[f"seconds_to_{target}"] = seconds
                    break
        print(json.dumps(result), file=bench.raw, flush=True)
        return result

    def peer(processes: int) -> dict:
        return bench.run([bench.python, TORCH, "accuracy", "--batch", 128, "--processes", processes, *settings])[0]

    got = bench.in_turns({"PyTorch, 1 process": lambda: peer(1), "PyTorch DDP, 2": lambda: peer(2),
                          "dnn_train, 2 ranks": ours})
    show = lambda results, key: (f"{middle(results, key):.1f}" if all(r[key] for r in results) else "-")
    bench.say("**Fashion-MNIST, 784-512-256-10, Adam, batch 128: seconds of training until the held-out "
              "tenth is classified this well:**")
    bench.say()
    bench.table(["", "88 %", "90 %", "samples/s"],
                [[name, show(results, "seconds_to_88"), show(results, "seconds_to_90"), rate(results)]
                 for name, results in got.items()])


def model_parallel(bench: Bench) -> None:
    network = "512,512,200000"
    rows = []
    for samples in (64, 128):
        got = bench.in_turns({
            "one": lambda: bench.step(network, samples, 1, "--products", "false"),
            "two": lambda: bench.step(network, samples, 2, "--products", "false", "--model-parallel", 2),
            "data": lambda: bench.step(network, samples // 2, 2, "--products", "false")}, 2)
        one, two, data = (middle(got[name], "step_us") / 1e3 for name in ("one", "two", "data"))
        rows.append([str(samples), f"{one:,.0f}", f"{data:,.0f}", f"{two:,.0f}", f"{one / two:.2f}×"])
    bench.say(f"**`--model-parallel 2`, {dashes(network)}, ms a step:**")
    bench.say()
    bench.table(["samples of a batch", "1 rank", "2 data shards", "2 model shards", "2 model shards against 1 rank"],
                rows)


def kernels(bench: Bench) -> None:
    text = subprocess.run([bench.bin / "bench_kernels", "--benchmark_format=json",
                           "--benchmark_min_time=0.2"], check=True, text=True, stdout=subprocess.PIPE,
                          env={**os.environ, "OMP_NUM_THREADS": "1"}).stdout
    bench.say("**Passes over memory, one thread** (triad: a = b + s c, what the memory gives; steps: parameters):")
    bench.say()
    found: dict[str, list[str]] = {}
    for line in json.loads(text)["benchmarks"]:
        print(json.dumps(line), file=bench.raw)
        if "B" in line:  # bytes a second; the products are in the table of steps
            words = line["name"].replace("step/", "step of ").split("/")
            name, size = words[0], " × ".join(word.split(":")[-1] for word in words[1:])
            found.setdefault(name, []).append(f"{size}: {line['B'] / 1e9:.0f}")
    bench.table(["kernel", "GB/s by size"], [[name, ", ".join(rates)] for name, rates in found.items()])


SECTIONS = {function.__name__: function
            for function in (steps, products, bf16, model_parallel, scaling, exchange, hosts, overlap, accuracy,
                             kernels)}


def write_readme(lines: list[str]) -> None:
    readme = ROOT / "README.md"
    before, rest = readme.read_text().split(BEGIN)
    figures, after = rest.split(END)
    block = "\n".join(lines).strip()
    title = block.splitlines()[0]
    others = [text for text in ("### " + part.strip() for part in figures.split("### ")[1:])
              if text.splitlines()[0] != title]
    readme.write_text(before + BEGIN + "\n" + "\n\n".join([block, *others]) + "\n" + END + after)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--build", type=Path, default=ROOT / "build")
    parser.add_argument("--python", default="/usr/bin/python3", help="that has PyTorch (%(default)s)")
    parser.add_argument("--sections", default=",".join(SECTIONS), help="(%(default)s)")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=1.0, help="of each measurement")
    parser.add_argument("--no-readme", action="store_true")
    options = parser.parse_args()
    options.build = options.build.resolve()
    subprocess.run(["cmake", "-S", ROOT, "-B", options.build, "-DCMAKE_BUILD_TYPE=Release",
                    "-DDNN_BENCH=ON"], check=True, stdout=subprocess.DEVNULL)
    subprocess.run(["cmake", "--build", options.build, "--parallel"], check=True,
                   stdout=subprocess.DEVNULL)
    bench = Bench(options)
    machine(bench)
    for name in options.sections.split(","):
        SECTIONS[name](bench)
    if not options.no_readme:
        write_readme(bench.lines)
    return 0


if __name__ == "__main__":
    sys.exit(main())
