"""What launch/to_mlflow.py makes of a run folder, without MLflow: each figure has a name of its own, whatever targets are called.

    mlflow_names_test.py SOURCE
"""

import importlib.util
import json
import pathlib
import sys
import tempfile

sys.dont_write_bytecode = True

SAME = {"lr": "lr", "rmse(a b)": "rmse_a b_", "seconds/km": "seconds/km"}  # the only ones of their name
OTHERS = ["rmse(温度)", "rmse(湿度)", "x" * 300 + "1", "x" * 300 + "2", "mae(\ud800)", "mae(\ud801)", "a/../b", "c//d", "/e", "..", ""]


def main():
    script = importlib.util.spec_from_file_location("to_mlflow", pathlib.Path(sys.argv[1]) / "launch/to_mlflow.py")
    to_mlflow = importlib.util.module_from_spec(script)
    script.loader.exec_module(to_mlflow)
    figures = {figure: float(number) for number, figure in enumerate([*SAME, *OTHERS])}
    found = []
    with tempfile.TemporaryDirectory(prefix="dnn_mlflow_") as name:
        run = pathlib.Path(name)
        for epochs in (1, 2):  # while it trains, and later
            (run / "metrics.jsonl").write_text("".join(json.dumps({"epoch": epoch + 1, **figures}) + "\n" for epoch in range(epochs)))
            metrics = to_mlflow.read_run(run)[1]
            found.append({value: name for name, value, _, _ in metrics})
            places = {(name, step) for name, _, _, step in metrics}
            assert len(places) == epochs * len(figures), f"figures share a name: {found[-1]}"
    assert found[0] == found[1], f"other names at the second import: {found}"
    names = {figure: found[0][number] for figure, number in figures.items()}
    assert {figure: names[figure] for figure in SAME} == SAME, names
    for name in names.values():
        parts = name.split("/")
        assert len(name) <= 250 and "" not in parts and "." not in parts and ".." not in parts, f"MLflow refuses {name!r}"
    print("each figure has a name of its own")


main()
