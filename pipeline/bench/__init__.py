"""Benchmarks: the inference engines side by side on models of the true shapes with random weights.

`harness` is the parent: it builds a model, starts one child process an engine and interleaves their runs in rounds;
`child` answers it over a pipe, with one of `engines` inside. Speed depends on the shape of the weights, not on what
they have learnt, as long as every row's output length is prescribed; nothing here says anything about quality.
"""
