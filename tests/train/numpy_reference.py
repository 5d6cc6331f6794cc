"""An independent implementation of the training step, in NumPy and double precision.

usage: numpy_reference.py FOLDER sgd|nesterov|adam LEARNING_RATE

Reads what the trainer exported (values.bin, batches.bin, losses.txt), trains from the same initial
values on the same batches, and fails unless every loss agrees to 1e-9.
"""

import pathlib
import sys

import numpy as np

WIDTHS = [61, 40, 24, 10]
BATCH = 96
DECAY = 0.01


def read_parameters(path):
    flat = np.fromfile(path)
    weights, biases = [], []
    for rows, cols in zip(WIDTHS, WIDTHS[1:]):
        weights.append(flat[: rows * cols].reshape(rows, cols).copy())
        biases.append(flat[rows * cols : rows * cols + cols].copy())
        flat = flat[rows * cols + cols :]
    assert flat.size == 0
    return weights, biases


def loss_and_gradients(weights, biases, x, labels):
    nodes = [x]
    for w, b in zip(weights[:-1], biases[:-1]):
        nodes.append(np.maximum(nodes[-1] @ w + b, 0.0))
    logits = nodes[-1] @ weights[-1] + biases[-1]
    shifted = logits - logits.max(axis=1, keepdims=True)
    log_y = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))
    rows = np.arange(len(labels))
    loss = -log_y[rows, labels].mean()
    delta = np.exp(log_y)
    delta[rows, labels] -= 1.0
    delta /= len(labels)
    grads = []
    for n in reversed(range(len(weights))):
        grads.append((nodes[n].T @ delta, delta.sum(axis=0)))
        delta = (delta @ weights[n].T) * (nodes[n] > 0)
    return loss, grads[::-1]


class Optimizer:
    def __init__(self, kind, rate):
        self.kind, self.rate, self.t, self.state = kind, rate, 0, {}

    def update(self, key, value, grad, decay):
        g = grad + decay * value
        if self.kind == "sgd":
            value -= self.rate * g
        elif self.kind == "nesterov":
            v = self.state.get(key, 0.0) * 0.9 + g
            self.state[key] = v
            value -= self.rate * (g + 0.9 * v)
        else:
            m, v = self.state.get(key, (0.0, 0.0))
            m = 0.9 * m + 0.1 * g
            v = 0.999 * v + 0.001 * g * g
            self.state[key] = (m, v)
            m_hat, v_hat = m / (1 - 0.9**self.t), v / (1 - 0.999**self.t)
            value -= self.rate * m_hat / (np.sqrt(v_hat) + 1e-8)


def main():
    folder = pathlib.Path(sys.argv[1])
    optimizer = Optimizer(sys.argv[2], float(sys.argv[3]))
    weights, biases = read_parameters(folder / "values.bin")
    expected = np.loadtxt(folder / "losses.txt")
    batches = np.fromfile(folder / "batches.bin").reshape(len(expected), -1)
    assert len(expected) == 50
    worst = 0.0
    for batch, trained in zip(batches, expected):
        x = batch[: BATCH * WIDTHS[0]].reshape(BATCH, WIDTHS[0])
        labels = batch[BATCH * WIDTHS[0] :].astype(int)
        loss, grads = loss_and_gradients(weights, biases, x, labels)
        worst = max(worst, abs(loss - trained))
        optimizer.t += 1
        for n, (dw, db) in enumerate(grads):
            optimizer.update(("w", n), weights[n], dw, DECAY)
            optimizer.update(("b", n), biases[n], db, 0.0)
    print(f"50 losses from {expected[0]:.3f} to {expected[-1]:.3f}; they differ by at most {worst:.1e}")
    return 0 if worst <= 1e-9 and expected[-1] < 0.7 * expected[0] else 1


sys.exit(main())
